import './style/base.css';
import './style/layout.css';
import './style/viewer.css';
import { setLanguage, currentLanguage, t } from './lib/i18n';
import { catchLinks, placeNow, type Page } from './lib/router';
import { applyTheme, chosenTheme } from './lib/settings';
import { fill, h } from './lib/dom';
import { makeShell, type Shell } from './parts/shell';
import { problemBox } from './parts/notice';

// Pages come when they are asked for: the worklist does not wait for the viewer.
const PAGES: Record<string, () => Promise<{ page: Page }>> = {
  '': () => import('./pages/worklist'),
  study: () => import('./pages/study'),
  tasks: () => import('./pages/tasks'),
  task: () => import('./pages/task'),
  jobs: () => import('./pages/jobs'),
  report: () => import('./pages/report'),
  settings: () => import('./pages/settings'),
};

let leave: (() => void) | null = null;
let turn = 0;

async function draw(shell: Shell): Promise<void> {
  const mine = (turn += 1), place = placeNow();
  leave?.();
  leave = null;
  shell.mark(place.path[0] ?? '');
  const main = h('div', { class: 'page' });
  fill(shell.main, main);
  const load = PAGES[place.path[0] ?? ''];
  try {
    if (!load) throw new Error(t('page.unknown'));
    const { page } = await load();
    if (mine !== turn) return;
    const left = (await page(main, place)) ?? null;
    if (mine === turn) leave = left;
    else left?.();
  } catch (error) {
    if (mine === turn) fill(main, problemBox(error));
  }
}

function start(): void {
  applyTheme(chosenTheme());
  setLanguage(currentLanguage());
  const root = document.getElementById('app')!;
  const rebuild = (): void => {
    const shell = makeShell(() => rebuild());
    fill(root, shell.element);
    onpopstate = () => {
      void draw(shell);
      shell.main.focus({ preventScroll: true });
    };
    void draw(shell);
  };
  catchLinks();
  rebuild();
}

start();
