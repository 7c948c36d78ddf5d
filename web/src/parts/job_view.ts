import { api } from '../api/client';
import type { Job } from '../api/types';
import { h, type Child } from '../lib/dom';
import { formatNumber, t, tOr } from '../lib/i18n';
import { attempt } from './notice';

export const isOver = (job: Job): boolean => !['queued', 'running'].includes(job.state);
/** A job of which some methods failed has results too. */
export const hasResult = (job: Job | undefined): boolean => job?.state === 'done' || job?.state === 'partly_done';
export const jobName = (job: Job): string => (job.method ? job.method : tOr(`task.${job.task}`, job.task));

export function stateBadge(job: Job): HTMLElement {
  const waits = hasResult(job) && job.review === 'pending';
  if (job.review === 'rejected') return h('span', { class: 'badge failed' }, t('state.rejected'));
  return h('span', { class: `badge ${waits ? 'pending' : job.state}` }, waits ? t('state.pending_review') : tOr(`state.${job.state}`, job.state));
}

export function progressBar(job: Job): Child {
  if (job.state !== 'running' && job.state !== 'queued') return null;
  return h('span', { class: 'job-progress' }, h('progress', { max: 1, value: job.progress, 'aria-label': t('job.progress', { name: jobName(job) }) }),
    h('span', { class: 'hint' }, `${Math.round(job.progress * 100)} % ${job.doing ?? ''}`));
}

export function secondsOfJob(job: Job): string {
  if (!job.started_ms) return '';
  const end = job.ended_ms || Date.now();
  return `${formatNumber(Math.max(0, end - job.started_ms) / 1000, 3)} s`;
}

/** The buttons that fit a job's state; `onChange` gets the job as the server then has it. */
export function jobButtons(job: Job, onChange: (job: Job) => void): HTMLElement {
  const button = (action: 'cancel' | 'retry' | 'accept' | 'reject', style = ''): HTMLElement =>
    h('button', { class: style, 'aria-label': `${t(`job.${action}`)}: ${jobName(job)}`, onclick: () => void attempt(() => api.act(job.id, action)).then((next) => { if (next) onChange(next); }) }, t(`job.${action}`));
  return h('span', { class: 'job-buttons' },
    !isOver(job) && button('cancel'),
    ['failed', 'partly_done', 'cancelled'].includes(job.state) && button('retry'),
    hasResult(job) && job.review === 'pending' && [button('accept', 'primary'), button('reject')],
    job.review === 'problem' && button('accept', 'primary'));
}
