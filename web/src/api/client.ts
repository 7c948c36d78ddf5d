import type { AuditEvent, Card, Job, JobFile, NewJob, Result, StudyDetail, StudyList } from './types';

/** An answer that is not a success, with the server's own sentence (RFC 9457). */
export class Problem extends Error {
  constructor(readonly status: number, readonly title: string, readonly detail: string) {
    super(detail || title);
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  try {
    const body = (await answer.json()) as { title?: string; detail?: string };
    return new Problem(answer.status, body.title ?? answer.statusText, body.detail ?? '');
  } catch {
    return new Problem(answer.status, answer.statusText || `HTTP ${answer.status}`, '');
  }
}

async function ask<T>(address: string, options: RequestInit = {}): Promise<T> {
  const answer = await fetch(address, { ...options, headers: { Accept: 'application/json', ...options.headers } });
  if (!answer.ok) throw await problemOf(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

const post = <T>(address: string, body?: unknown): Promise<T> => ask<T>(address, {
  method: 'POST',
  ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
});

const uid = encodeURIComponent;

function queryOf(values: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== '') query.set(name, String(value));
  const text = query.toString();
  return text ? `?${text}` : '';
}

export interface Health { status: string; version: string }

/** Ids are text here, whatever the server counts with. */
export const asJob = (job: Job): Job => ({ ...job, id: String(job.id) });

let cards: Promise<Card[]> | null = null;

export const api = {
  health: () => ask<Health>('/api/health'),
  /** The cards of all methods; asked for once. */
  methods(): Promise<Card[]> {
    cards ??= ask<{ methods: Card[] }>('/api/methods').then((answer) => answer.methods.map(wholeCard));
    cards.catch(() => { cards = null; });
    return cards;
  },
  studies: (query: { search?: string; modality?: string; limit?: number; offset?: number }) => ask<StudyList>(`/api/studies${queryOf(query)}`),
  study: (study: string) => ask<StudyDetail>(`/api/studies/${uid(study)}`),
  removeStudy: (study: string) => ask<void>(`/api/studies/${uid(study)}`, { method: 'DELETE' }),
  jobs: (query: { study_uid?: string; state?: string; limit?: number }) => ask<{ jobs: Job[] }>(`/api/jobs${queryOf(query)}`).then((a) => a.jobs.map(asJob)),
  job: (id: string) => ask<Job>(`/api/jobs/${uid(id)}`).then(asJob),
  start: (job: NewJob) => post<Job>('/api/jobs', job).then(asJob),
  act: (id: string, action: 'cancel' | 'retry' | 'accept' | 'reject') => post<Job>(`/api/jobs/${uid(id)}/${action}`).then(asJob),
  result: (id: string) => ask<Partial<Result>>(`/api/jobs/${uid(id)}/result`).then(whole),
  files: (id: string) => ask<{ files: JobFile[] }>(`/api/jobs/${uid(id)}/files`).then((a) => a.files),
  fileAddress: (id: string, name: string) => `/api/jobs/${uid(id)}/files/${name.split('/').map(uid).join('/')}`,
  report: (study: string) => ask<{ job_id: string | number }>(`/api/reports/${uid(study)}`).then((answer) => String(answer.job_id)),
  rules: () => ask<Record<string, unknown>>('/api/rules'),
  audit: (limit: number) => ask<{ events: AuditEvent[] }>(`/api/audit?limit=${limit}`).then((a) => a.events),
  async bytes(address: string): Promise<ArrayBuffer> {
    const answer = await fetch(address);
    if (!answer.ok) throw await problemOf(answer);
    return answer.arrayBuffer();
  },
};

/** A network's card may leave out what all networks have: one image in. */
const wholeCard = (card: Card): Card => ({ ...card, modalities: card.modalities ?? [], outputs: card.outputs ?? [],
  inputs: card.inputs ?? [{ role: 'image', kind: 'image', modalities: card.modalities ?? [] }] });

/** A result with every array there, so that nobody asks twice. */
function whole(result: Partial<Result>): Result {
  return { task: '', method: '', ...result, artifacts: result.artifacts ?? [], scores: result.scores ?? [], findings: result.findings ?? [],
    measurements: result.measurements ?? [], ranking: result.ranking ?? [], remarks: result.remarks ?? [] };
}
