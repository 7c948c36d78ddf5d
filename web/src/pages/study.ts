import { api } from '../api/client';
import { onJob } from '../api/live';
import type { Job, Result, Series, StudyDetail } from '../api/types';
import { fill, h, type Child } from '../lib/dom';
import { formatDate, formatName, t } from '../lib/i18n';
import { rememberQuery, type Page } from '../lib/router';
import { attempt, problemBox } from '../parts/notice';
import { hasResult, isOver, jobButtons, jobName, progressBar, stateBadge } from '../parts/job_view';
import { resultView } from '../parts/result_view';
import { ViewerBox } from '../viewer/box';
import { layResult, laySeg, placeOf } from '../viewer/results';
import { loadSeries, NOT_IMAGES, seriesAddress } from '../viewer/series';
import { thumbnail } from '../parts/thumbnail';

/** One study: its series, its images, what jobs said about them. */
export const page: Page = async (main, { path, query }) => {
  const study = await api.study(path[1] ?? '');
  const images = study.series.filter((series) => !NOT_IMAGES.includes(series.modality));
  const view = new StudyView(study, images);
  fill(main, view.element);
  main.classList.add('wide');
  const first = images.find((series) => series.series_uid === query.get('series')) ?? bestOf(images);
  await view.start(first, query.get('job'));
  return () => view.close();
};

/** The series a reader would open first: for PET with CT the CT with the PET laid over it, else the largest. */
function bestOf(images: Series[]): Series | undefined {
  const size = (series: Series): number => Math.max(series.frame_count, series.instance_count);
  return [...images].sort((a, b) => Number(b.modality === 'CT') - Number(a.modality === 'CT') || size(b) - size(a))[0];
}

class StudyView {
  private readonly list = h('ul', { class: 'series-list' });
  private readonly jobs = h('div', { class: 'job-list' });
  private readonly outcome = h('div', { class: 'outcome', 'aria-live': 'polite' });
  private readonly box: ViewerBox;
  readonly element: HTMLElement;
  private shown = '';
  private all: Job[] = [];
  private chosen: string | null = null;
  private readonly stop: () => void;

  constructor(private readonly study: StudyDetail, private readonly images: Series[]) {
    this.box = new ViewerBox(images);
    this.element = h('div', { class: 'study-page' },
      h('aside', { class: 'side left', 'aria-label': t('study.series') }, patientBox(study), this.list),
      this.box.element,
      h('aside', { class: 'side right', 'aria-label': t('study.results') }, this.actions(), this.jobs, this.outcome));
    this.stop = onJob((job) => { if (job.study_uid === study.study_uid) this.jobMoved(job); });
  }

  async start(first: Series | undefined, job: string | null): Promise<void> {
    this.drawList();
    void api.jobs({ study_uid: this.study.study_uid, limit: 100 }).then((all) => {
      this.all = all;
      this.drawJobs();
      const newest = all.find((one) => one.id === job) ?? all.find(hasResult);
      if (newest) void this.choose(newest);
    }, (error: unknown) => fill(this.jobs, problemBox(error)));
    if (!first) return;
    await this.open(first);
    await this.fuseByItself(first);
  }

  private async open(series: Series): Promise<void> {
    this.shown = series.series_uid;
    rememberQuery({ series: series.series_uid });
    this.drawList();
    if (await this.box.open(this.study.study_uid, series.series_uid)) await this.layChosen();
  }

  /** A PET made with the CT that is shown is laid over it at once. */
  private async fuseByItself(series: Series): Promise<void> {
    const pet = this.images.find((one) => one.modality === 'PT');
    if (series.modality !== 'CT' || !pet) return;
    const [a, b] = await Promise.all([loadSeries(this.study.study_uid, series.series_uid), loadSeries(this.study.study_uid, pet.series_uid)]);
    if (a.isVolume && b.isVolume && a.frameOfReference === b.frameOfReference && this.shown === series.series_uid) await this.box.fuse(pet.series_uid);
  }

  private drawList(): void {
    const last = (series: Series): number => Number(!this.images.includes(series));
    fill(this.list, [...this.study.series].sort((a, b) => last(a) - last(b) || a.number - b.number).map((series) => h('li', {}, this.entry(series))));
  }

  private entry(series: Series): HTMLElement {
    const isImage = this.images.includes(series), isSeg = series.modality === 'SEG';
    const count = Math.max(series.frame_count, series.instance_count);
    const act = isImage ? () => void this.open(series) : isSeg ? () => void attempt(() => laySeg(this.study.study_uid, series.series_uid, this.box.stage)) : undefined;
    return h('button', { class: 'series', 'aria-pressed': this.shown === series.series_uid, disabled: !act, ...(act ? { onclick: act } : {}) },
      isImage ? thumbnail(`${seriesAddress(this.study.study_uid, series.series_uid)}/thumbnail?viewport=96,96`, series.modality) : h('span', { class: 'thumb none' }, series.modality.slice(0, series.modality.startsWith('RT') ? 2 : 4)),
      h('span', { class: 'series-text' }, h('b', {}, series.description || t('study.nameless')), h('span', { class: 'hint' }, `${series.modality} · ${count}${series.columns ? ` · ${series.columns} × ${series.rows}` : ''}`),
        isSeg && h('span', { class: 'hint' }, t('study.lay_over'))));
  }

  private actions(): HTMLElement {
    const uid = this.study.study_uid;
    const report = (): void => void attempt(() => api.start({ task: 'report', study_uid: uid })).then((job) => { if (job) this.jobMoved(job); });
    return h('div', { class: 'study-actions' }, h('button', { class: 'primary', onclick: report }, t('study.report')),
      h('a', { class: 'button', href: `/report?study=${uid}` }, t('study.open_report')), h('a', { class: 'button', href: `/tasks?study=${uid}` }, t('study.tasks')));
  }

  private jobMoved(job: Job): void {
    const before = this.all.find((one) => one.id === job.id);
    this.all = before ? this.all.map((one) => (one.id === job.id ? job : one)) : [job, ...this.all];
    this.drawJobs();
    if (hasResult(job) && !hasResult(before)) void this.choose(job);
  }

  private drawJobs(): void {
    const row = (job: Job): Child => h('li', { class: 'job' }, h('button', { class: 'link job-name', 'aria-pressed': this.chosen === job.id, disabled: !hasResult(job), onclick: () => void this.choose(job) }, jobName(job)),
      stateBadge(job), progressBar(job), job.problem && h('p', { class: 'problem-text' }, job.problem), (!isOver(job) || ['pending', 'problem'].includes(job.review) || job.state === 'failed') && jobButtons(job, (next) => this.jobMoved(next)));
    fill(this.jobs, h('h2', {}, t('study.jobs')), this.all.length === 0 ? h('p', { class: 'hint' }, t('study.no_jobs')) : h('ul', {}, this.all.map(row)));
  }

  private async choose(job: Job): Promise<void> {
    this.chosen = job.id;
    rememberQuery({ job: job.id });
    this.drawJobs();
    await this.layChosen();
  }

  private async layChosen(): Promise<void> {
    const id = this.chosen;
    if (!id || !this.box.stage.series) return;
    try {
      const [result, files] = await Promise.all([api.result(id), api.files(id)]);
      const problems = await layResult(id, result, this.box.stage);
      if (this.chosen === id) fill(this.outcome, problems.map((text) => h('p', { class: 'problem-text' }, text)), resultView(id, result, files, this.places(result)));
    } catch (error) {
      if (this.chosen === id) fill(this.outcome, problemBox(error));
    }
  }

  /** Rows lead to their place, in their own series where that is another one. */
  private places(_result: Result): Parameters<typeof resultView>[3] {
    const elsewhere = (uid: string | undefined, then: () => void): (() => void) => () => {
      const series = uid && uid !== this.shown ? this.images.find((one) => one.series_uid === uid) : undefined;
      if (series) void this.open(series).then(then);
      else then();
    };
    return {
      finding: (finding) => elsewhere(finding.series_uid, () => this.box.stage.chooseFinding(finding)),
      measurement: (one) => (one.centre_mm || placeOf(one, this.box.stage) || (one.region && one.series_uid !== this.shown)
        ? elsewhere(one.series_uid, () => placeOf(one, this.box.stage)?.()) : undefined),
    };
  }

  close(): void {
    this.stop();
    this.box.close();
  }
}

function patientBox(study: StudyDetail): HTMLElement {
  return h('div', { class: 'patient' }, h('h1', {}, formatName(study.patient_name) || t('worklist.nameless')),
    h('p', {}, [study.patient_id, formatDate(study.birth_date)].filter(Boolean).join(' · ')), h('p', {}, [formatDate(study.study_date), study.description].filter(Boolean).join(' · ')));
}
