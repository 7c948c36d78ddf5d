import { api } from '../api/client';
import { onJob, onStudy } from '../api/live';
import type { JobCounts, Study } from '../api/types';
import { fill, h, type Child } from '../lib/dom';
import { formatDate, formatName, formatWhen, t, type TextKey } from '../lib/i18n';
import { go, rememberQuery, type Page } from '../lib/router';
import { attempt, emptyBox, problemBox } from '../parts/notice';
import { uploadPanel } from '../parts/upload_panel';

const PAGE_SIZE = 50;
const MODALITIES = ['CT', 'MR', 'US', 'PT', 'NM'];
const COUNTS: [keyof JobCounts, TextKey, string][] = [['running', 'state.running', 'running'], ['queued', 'state.queued', 'queued'],
  ['pending_review', 'state.pending_review', 'pending'], ['failed', 'state.failed', 'failed'], ['done', 'state.done', 'done']];

/** All studies, newest first, as they arrive. */
export const page: Page = async (main, { query }) => {
  const state = { search: query.get('search') ?? '', modality: query.get('modality') ?? '', offset: Number(query.get('offset')) || 0 };
  const table = h('div', { class: 'worklist', 'aria-live': 'off' });
  const load = async (): Promise<void> => {
    rememberQuery({ search: state.search, modality: state.modality, offset: state.offset ? String(state.offset) : null });
    try {
      const { total, studies } = await api.studies({ search: state.search, modality: state.modality, limit: PAGE_SIZE, offset: state.offset });
      fill(table, studies.length === 0 ? empty(state.search !== '' || state.modality !== '') : studyTable(studies, load), pager(total, state, load));
    } catch (error) {
      fill(table, problemBox(error));
    }
  };
  const soon = later(() => void load(), 300);
  fill(main, h('div', { class: 'page-head' }, h('h1', {}, t('worklist.title')), filters(state, soon), uploadPanel(main, () => void load())), table);
  const stops = [onStudy(soon), onJob(soon)];
  await load();
  return () => stops.forEach((stop) => stop());
};

/** Many events at once draw once. */
function later(work: () => void, wait_ms: number): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(work, wait_ms);
  };
}

function filters(state: { search: string; modality: string; offset: number }, changed: () => void): HTMLElement {
  const set = (change: Partial<typeof state>): void => { Object.assign(state, change, { offset: 0 }); changed(); };
  const buttons = h('div', { class: 'segmented', role: 'group', 'aria-label': t('worklist.modality') });
  const draw = (): void => fill(buttons, ['', ...MODALITIES].map((modality) => h('button', {
    'aria-pressed': state.modality === modality, onclick: () => { set({ modality }); draw(); } }, modality || t('worklist.all'))));
  draw();
  return h('div', { class: 'filters', role: 'search' },
    h('input', { type: 'search', value: state.search, placeholder: t('worklist.search'), 'aria-label': t('worklist.search'), oninput: (event) => set({ search: (event.target as HTMLInputElement).value }) }), buttons);
}

function empty(isFiltered: boolean): HTMLElement {
  return isFiltered ? emptyBox(t('worklist.none_found')) : emptyBox(t('worklist.empty'), h('p', {}, t('worklist.empty_hint')));
}

function studyTable(studies: Study[], reload: () => Promise<void>): HTMLElement {
  const heads: TextKey[] = ['worklist.patient', 'worklist.id', 'worklist.birth', 'worklist.date', 'worklist.modality', 'worklist.description', 'worklist.images', 'worklist.received', 'worklist.status'];
  return h('div', { class: 'scroll-x', tabindex: 0, role: 'group', 'aria-label': t('worklist.title') }, h('table', { class: 'studies' },
    h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col' }, t(head))), h('th', { scope: 'col' }, h('span', { class: 'visually-hidden' }, t('worklist.actions'))))),
    h('tbody', {}, studies.map((study) => studyRow(study, reload)))));
}

function studyRow(study: Study, reload: () => Promise<void>): HTMLElement {
  const address = `/study/${study.study_uid}`, name = formatName(study.patient_name) || t('worklist.nameless');
  const isSynthetic = study.patient_id.startsWith('SYN-') || study.description.startsWith('SYNTHETIC');
  const remove = async (): Promise<void> => {
    if (confirm(t('worklist.remove_sure', { name }))) await attempt(() => api.removeStudy(study.study_uid)).then(reload);
  };
  const onclick = (event: MouseEvent): void => { if (event.target instanceof Element && !event.target.closest('a, button')) go(address); };
  return h('tr', { onclick },
    h('td', {}, h('a', { href: address, class: 'study-link' }, name), isSynthetic && h('span', { class: 'badge synthetic' }, t('view.synthetic'))), h('td', {}, study.patient_id), h('td', {}, formatDate(study.birth_date)),
    h('td', { class: 'number' }, formatDate(study.study_date)), h('td', {}, study.modalities.map((modality) => h('span', { class: 'modality' }, modality))), h('td', {}, study.description),
    h('td', { class: 'number' }, `${study.series_count} / ${study.instance_count}`), h('td', { class: 'number' }, formatWhen(study.received_ms)), h('td', {}, h('span', { class: 'badges' }, badges(study.jobs))),
    h('td', { class: 'row-actions' }, h('a', { class: 'button', href: `/report?study=${study.study_uid}`, 'aria-label': `${t('nav.report')}: ${name}` }, t('nav.report')),
      h('button', { class: 'quiet', title: t('worklist.remove'), 'aria-label': `${t('worklist.remove')}: ${name}`, onclick: () => void remove() }, '✕')));
}

function badges(counts: Partial<JobCounts> | undefined): Child[] {
  return COUNTS.filter(([name]) => (counts?.[name] ?? 0) > 0).map(([name, text, style]) => h('span', { class: `badge ${style}` }, `${t(text)} ${counts![name]}`));
}

function pager(total: number, state: { offset: number }, load: () => Promise<void>): Child {
  const turn = (offset: number): void => { state.offset = offset; void load(); };
  return h('div', { class: 'pager' }, h('span', { class: 'hint' }, t('worklist.total', { total })), total > PAGE_SIZE && [
    h('button', { disabled: state.offset === 0, onclick: () => turn(Math.max(0, state.offset - PAGE_SIZE)) }, t('pager.back')),
    h('span', {}, `${state.offset + 1} – ${Math.min(total, state.offset + PAGE_SIZE)}`),
    h('button', { disabled: state.offset + PAGE_SIZE >= total, onclick: () => turn(state.offset + PAGE_SIZE) }, t('pager.next'))]);
}
