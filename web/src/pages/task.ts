import { api } from '../api/client';
import { onJob } from '../api/live';
import type { Card, Job, JobInput, StudyDetail, StudyList } from '../api/types';
import { fill, h } from '../lib/dom';
import { methodTitle } from '../lib/card_texts';
import { formatDate, formatName, t, tOr } from '../lib/i18n';
import { go, rememberQuery, type Page } from '../lib/router';
import { cardForm } from '../parts/card_form';
import { cardView } from '../parts/card_view';
import { hasResult, isOver, jobButtons, progressBar, secondsOfJob, stateBadge } from '../parts/job_view';
import { attempt, emptyBox, problemBox } from '../parts/notice';
import { resultView } from '../parts/result_view';
import { ViewerBox } from '../viewer/box';
import { layResult, placeOf } from '../viewer/results';

const STUDIES_TO_CHOOSE = 200;

/** One method on one study: the form of its card, the run, the result beside the input. */
export const page: Page = async (main, { path, query }) => {
  const cards = await api.methods();
  const card = cards.find((one) => one.task === path[1] && one.id === query.get('method'));
  if (!card) throw new Error(t('task.unknown', { method: `${path[1] ?? ''} ${query.get('method') ?? ''}` }));
  const list = await api.studies({ limit: STUDIES_TO_CHOOSE });
  const uid = query.get('study') ?? fittingStudy(card, list)?.study_uid ?? null;
  const study = uid ? await api.study(uid) : null;
  main.classList.add('wide');
  const view = new TaskView(card, study, list);
  fill(main, view.element);
  await view.start(query.get('series'), query.get('job'));
  return () => view.close();
};

const DICOM_OF: Record<string, string> = { PET: 'PT', SPECT: 'NM' };

function fittingStudy(card: Card, { studies }: StudyList): StudyList['studies'][number] | undefined {
  const wanted = card.modalities.map((one) => DICOM_OF[one] ?? one);
  return studies.find((study) => study.modalities.some((one) => wanted.includes(one))) ?? studies[0];
}

class TaskView {
  private readonly box: ViewerBox | null;
  private readonly run = h('div', { class: 'run-state', 'aria-live': 'polite' });
  private readonly outcome = h('div', { class: 'outcome' });
  private readonly form;
  readonly element: HTMLElement;
  private job: Job | null = null;
  private readonly stop: () => void;

  constructor(private readonly card: Card, private readonly study: StudyDetail | null, list: StudyList) {
    const series = study?.series ?? [];
    this.box = card.inputs.length > 0 && study ? new ViewerBox(series) : null;
    this.form = cardForm(card, series, new URLSearchParams(location.search).get('series'), () => void this.submit());
    this.form.onInput((inputs) => void this.showInput(inputs));
    this.element = h('div', { class: `task-page${this.box ? '' : ' no-viewer'}` },
      h('aside', { class: 'side left form-side', 'aria-label': t('task.form') },
        h('p', { class: 'crumb' }, h('a', { href: study ? `/tasks?study=${study.study_uid}` : '/tasks' }, tOr(`task.${card.task}`, card.task))),
        h('h1', {}, card.id), h('p', {}, methodTitle(card)), h('p', { class: 'research-line' }, t('research_use')), cardView(card),
        card.inputs.length > 0 && studySelect(card, study, list), this.form.element),
      this.box?.element ?? (card.inputs.length > 0 ? emptyBox(t('task.no_study')) : null),
      h('aside', { class: 'side right', 'aria-label': t('task.result') }, h('h2', {}, t('task.result')), this.run, this.outcome));
    this.stop = onJob((job) => { if (job.id === this.job?.id) void this.moved(job); });
    fill(this.run, h('p', { class: 'hint' }, t('task.not_run')));
  }

  async start(_series: string | null, job: string | null): Promise<void> {
    await this.showInput(this.form.read().inputs);
    if (job) await attempt(async () => this.moved(await api.job(job)));
  }

  private async showInput(inputs: JobInput[]): Promise<void> {
    const main = inputs[0];
    if (this.box && this.study && main && this.box.stage.series?.series_uid !== main.series_uid) await this.box.open(this.study.study_uid, main.series_uid);
  }

  private async submit(): Promise<void> {
    const { inputs, settings, seed } = this.form.read();
    const job = await attempt(() => api.start({ task: this.card.task, method: this.card.id, inputs, settings, seed, review: 'pending', priority: 'interactive' }));
    if (!job) return;
    rememberQuery({ job: job.id });
    fill(this.outcome);
    await this.moved(job);
  }

  private async moved(job: Job): Promise<void> {
    const wasOver = this.job?.id === job.id && isOver(this.job);
    this.job = job;
    fill(this.run, h('div', { class: 'run-line' }, stateBadge(job), progressBar(job), h('span', { class: 'hint' }, secondsOfJob(job)), jobButtons(job, (next) => void this.moved(next))),
      job.problem && h('p', { class: 'problem-text', role: 'alert' }, job.problem));
    if (hasResult(job) && !wasOver) await this.showResult(job);
  }

  private async showResult(job: Job): Promise<void> {
    try {
      const [result, files] = await Promise.all([api.result(job.id), api.files(job.id)]);
      const stage = this.box?.stage;
      const problems = stage ? await layResult(job.id, result, stage) : [];
      fill(this.outcome, problems.map((text) => h('p', { class: 'problem-text' }, text)), resultView(job.id, result, files, {
        finding: (finding) => stage && (() => stage.chooseFinding(finding)), measurement: (one) => stage && placeOf(one, stage),
      }));
    } catch (error) {
      fill(this.outcome, problemBox(error));
    }
  }

  close(): void {
    this.stop();
    this.box?.close();
  }
}

function studySelect(card: Card, study: StudyDetail | null, { studies }: StudyList): HTMLElement {
  const text = (one: StudyList['studies'][number]): string => [one.modalities.join('+'), formatName(one.patient_name) || one.patient_id, formatDate(one.study_date), one.description].filter(Boolean).join(' · ');
  return h('div', { class: 'field' }, h('label', { for: 'study' }, t('task.study')),
    h('select', { id: 'study', onchange: (event) => go(`/task/${card.task}?method=${card.id}&study=${(event.target as HTMLSelectElement).value}`) },
      studies.map((one) => h('option', { value: one.study_uid, selected: one.study_uid === study?.study_uid }, text(one)))));
}
