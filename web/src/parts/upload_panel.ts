import { droppedFiles, upload, type Progress } from '../api/upload';
import { fill, h } from '../lib/dom';
import { formatBytes, t } from '../lib/i18n';

const SHOWN_REFUSALS = 20;

/** Files and folders dropped on `zone`, or chosen, go to the archive; `onDone` when they are there. */
export function uploadPanel(zone: HTMLElement, onDone: () => void): HTMLElement {
  const status = h('div', { class: 'upload-status', 'aria-live': 'polite' });
  const start = (files: File[]): void => void run(files, status, onDone);
  const choose = (text: string, isFolder: boolean): HTMLElement => {
    const input = h('input', { type: 'file', multiple: true, webkitdirectory: isFolder, class: 'visually-hidden', tabindex: -1, 'aria-label': text,
      onchange: (event) => { const chosen = event.target as HTMLInputElement; start([...(chosen.files ?? [])]); chosen.value = ''; } });
    return h('span', {}, h('button', { class: isFolder ? '' : 'primary', onclick: () => input.click() }, text), input);
  };
  let inside = 0;
  zone.addEventListener('dragenter', () => { inside += 1; zone.classList.add('dropping'); });
  zone.addEventListener('dragleave', () => { inside -= 1; if (inside <= 0) zone.classList.remove('dropping'); });
  zone.addEventListener('dragover', (event) => event.preventDefault());
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    inside = 0;
    zone.classList.remove('dropping');
    if (event.dataTransfer) void droppedFiles(event.dataTransfer).then(start);
  });
  return h('div', { class: 'upload' }, choose(t('upload.files'), false), choose(t('upload.folder'), true), h('span', { class: 'hint' }, t('upload.hint')), status);
}

async function run(files: File[], status: HTMLElement, onDone: () => void): Promise<void> {
  if (files.length === 0) return;
  const stop = new AbortController();
  const bar = h('progress', { max: 1, value: 0, 'aria-label': t('upload.progress') });
  const text = h('span');
  fill(status, bar, text, h('button', { class: 'quiet', onclick: () => stop.abort() }, t('upload.stop')));
  const report = (progress: Progress): void => {
    bar.value = progress.allBytes === 0 ? 1 : progress.sentBytes / progress.allBytes;
    text.textContent = t('upload.sent', { sent: formatBytes(progress.sentBytes), all: formatBytes(progress.allBytes), stored: progress.stored, files: progress.files });
  };
  const done = await upload(files, report, stop.signal);
  fill(status, h('span', { class: done.refused.length > 0 ? 'warning' : 'good' }, t('upload.done', { stored: done.stored, refused: done.refused.length })),
    done.refused.length > 0 && h('details', {}, h('summary', {}, t('upload.why')),
      h('ul', {}, done.refused.slice(0, SHOWN_REFUSALS).map((one) => h('li', {}, h('code', {}, one.name), ` ${one.why}`)))));
  onDone();
}
