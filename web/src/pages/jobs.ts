import { api } from '../api/client';
import { onJob } from '../api/live';
import type { Job } from '../api/types';
import { fill, h } from '../lib/dom';
import { formatWhen, t, tOr, type TextKey } from '../lib/i18n';
import { rememberQuery, type Page } from '../lib/router';
import { jobButtons, jobName, progressBar, secondsOfJob, stateBadge } from '../parts/job_view';
import { emptyBox } from '../parts/notice';

const STATES = ['', 'queued', 'running', 'done', 'partly_done', 'failed', 'cancelled'];
const SHOWN = 200;

/** All jobs, newest first, moving as they move. */
export const page: Page = async (main, { query }) => {
  let state = query.get('state') ?? '', jobs: Job[] = [];
  const buttons = h('div', { class: 'segmented', role: 'group', 'aria-label': t('jobs.state') });
  const place = h('div');
  const draw = (): void => {
    fill(buttons, STATES.map((one) => h('button', { 'aria-pressed': one === state, onclick: () => { state = one; rememberQuery({ state }); void load(); } }, one ? tOr(`state.${one}`, one) : t('worklist.all'))));
    fill(place, jobs.length === 0 ? emptyBox(t('jobs.none')) : table(jobs, moved));
  };
  const load = async (): Promise<void> => { jobs = await api.jobs({ state, limit: SHOWN }); draw(); };
  const moved = (job: Job): void => {
    const isKnown = jobs.some((one) => one.id === job.id);
    const fitsState = state === '' || job.state === state;
    jobs = isKnown ? jobs.map((one) => (one.id === job.id ? job : one)).filter((one) => state === '' || one.state === state) : fitsState ? [job, ...jobs] : jobs;
    // A row that has the focus is not drawn away from under the keyboard.
    if (!place.contains(document.activeElement) || document.activeElement === place) draw();
    else requestAnimationFrame(draw);
  };
  fill(main, h('div', { class: 'page-head' }, h('h1', {}, t('jobs.title')), buttons), place);
  const stop = onJob(moved);
  await load();
  return stop;
};

function table(jobs: Job[], moved: (job: Job) => void): HTMLElement {
  const heads: TextKey[] = ['jobs.job', 'jobs.task', 'jobs.state', 'jobs.started', 'jobs.took', 'jobs.problem'];
  return h('div', { class: 'scroll-x', tabindex: 0, role: 'group', 'aria-label': t('jobs.title') }, h('table', { class: 'jobs' },
    h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col' }, t(head))), h('th', { scope: 'col' }, h('span', { class: 'visually-hidden' }, t('worklist.actions'))))),
    h('tbody', {}, jobs.map((job) => h('tr', {},
      h('td', {}, h('a', { href: job.task === 'report' ? `/report?study=${job.study_uid}` : `/task/${job.task}?${new URLSearchParams({ method: job.method, ...(job.study_uid ? { study: job.study_uid } : {}), job: job.id }).toString()}` }, jobName(job))),
      h('td', {}, tOr(`task.${job.task}`, job.task)), h('td', {}, stateBadge(job), progressBar(job)), h('td', { class: 'number' }, formatWhen(job.started_ms || job.created_ms)),
      h('td', { class: 'number' }, secondsOfJob(job)), h('td', { class: 'problem-text' }, job.problem), h('td', { class: 'row-actions' }, jobButtons(job, moved)))))));
}
