import { api, Problem } from '../api/client';
import { onJob } from '../api/live';
import type { Job } from '../api/types';
import { fill, h } from '../lib/dom';
import { formatName, t } from '../lib/i18n';
import type { Page } from '../lib/router';
import { hasResult, progressBar, stateBadge } from '../parts/job_view';
import { attempt, emptyBox, problemBox } from '../parts/notice';

/** The newest report on a study, in a frame that may run nothing. */
export const page: Page = async (main, { query }) => {
  const uid = query.get('study') ?? '';
  const study = await api.study(uid);
  const status = h('div', { class: 'run-state', 'aria-live': 'polite' }), frame = h('div', { class: 'report-frame' }), links = h('div', { class: 'report-links' });
  let watched: string | null = null;
  const show = async (): Promise<void> => {
    try {
      const job = await api.report(uid);
      const files = await api.files(job);
      const has = (name: string): boolean => files.some((file) => file.name === name);
      fill(links, has('report.pdf') && h('a', { class: 'button', href: api.fileAddress(job, 'report.pdf'), target: '_blank' }, t('report.pdf')),
        has('measurements.csv') && h('a', { class: 'button', href: api.fileAddress(job, 'measurements.csv'), download: '' }, t('report.csv')),
        h('a', { class: 'button', href: `/study/${uid}?job=${job}` }, t('report.images')));
      fill(frame, h('iframe', { src: api.fileAddress(job, 'report.html'), sandbox: '', title: t('report.title') }));
    } catch (error) {
      fill(frame, error instanceof Problem && error.status === 404 ? emptyBox(t('report.none')) : problemBox(error));
    }
  };
  const moved = (job: Job): void => {
    if (job.study_uid !== uid || job.task !== 'report' || (watched && watched !== job.id)) return;
    fill(status, stateBadge(job), progressBar(job), job.problem && h('p', { class: 'problem-text' }, job.problem));
    if (hasResult(job)) void show();
  };
  const start = (): void => void attempt(() => api.start({ task: 'report', study_uid: uid })).then((job) => { if (job) { watched = job.id; moved(job); } });
  main.classList.add('wide');
  fill(main, h('div', { class: 'page-head' }, h('h1', {}, t('report.of', { name: formatName(study.patient_name) || study.patient_id || uid })),
    h('button', { class: 'primary', onclick: start }, t('study.report')), links, status), frame);
  const stop = onJob(moved);
  await show();
  return stop;
};
