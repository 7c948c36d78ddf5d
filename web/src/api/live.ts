import { asJob } from './client';
import type { Job } from './types';

export interface StudyEvent { study_uid: string; series_uid: string }
type Listeners = { job: Set<(job: Job) => void>; study: Set<(study: StudyEvent) => void>; link: Set<(up: boolean) => void> };

const listeners: Listeners = { job: new Set(), study: new Set(), link: new Set() };
let source: EventSource | null = null;
let linkIsUp = false;

function link(up: boolean): void {
  linkIsUp = up;
  for (const listener of listeners.link) listener(up);
}

function open(): void {
  if (source) return;
  source = new EventSource('/api/events');
  source.onopen = () => link(true);
  // The browser tries again by itself; a closed one (the server answered with an error) is opened anew.
  source.onerror = () => {
    link(false);
    if (source?.readyState === EventSource.CLOSED) { source = null; setTimeout(open, 3000); }
  };
  source.addEventListener('job', (event) => {
    const job = asJob(JSON.parse((event as MessageEvent<string>).data) as Job);
    for (const listener of listeners.job) listener(job);
  });
  source.addEventListener('study', (event) => {
    const study = JSON.parse((event as MessageEvent<string>).data) as StudyEvent;
    for (const listener of listeners.study) listener(study);
  });
}

/** Hears jobs as they move; the answer stops it. One connection for the whole page. */
export function onJob(listener: (job: Job) => void): () => void {
  open();
  listeners.job.add(listener);
  return () => { listeners.job.delete(listener); };
}

export function onStudy(listener: (study: StudyEvent) => void): () => void {
  open();
  listeners.study.add(listener);
  return () => { listeners.study.delete(listener); };
}

export function onLink(listener: (up: boolean) => void): () => void {
  open();
  listeners.link.add(listener);
  listener(linkIsUp);
  return () => { listeners.link.delete(listener); };
}
