import type { Series } from '../api/types';
import { fill, h } from '../lib/dom';
import { t } from '../lib/i18n';
import { Cine } from './cine';
import { drawLegend } from './legend';
import { loadSeries, NOT_IMAGES } from './series';
import { Stage } from './stage';
import { drawToolbar, toolOfKey, type BarState } from './toolbar';
import type { LayoutName } from './views';
import { presetsOf } from './windows';

const USUAL_RATE_HZ = 15;

/** A viewer with its toolbar and legend: what the study page and the task page show. */
export class ViewerBox {
  readonly stage = new Stage();
  private readonly bar = h('div', { class: 'toolbar', role: 'toolbar', 'aria-label': t('toolbar.name') });
  private readonly legend = h('aside', { class: 'legend', 'aria-label': t('labels.title'), hidden: true });
  private readonly message = h('div', { class: 'viewer-message', role: 'status' });
  private readonly cine = new Cine(() => this.stage.scroll(1, true));
  private readonly state: BarState = { tool: 'window', rate_hz: USUAL_RATE_HZ, fusable: [], besides: [], onFuse: (uid) => void this.fuse(uid), onBeside: (uid) => void this.beside(uid) };
  readonly element = h('section', { class: 'viewer', 'aria-label': t('viewer.title') }, this.bar,
    h('div', { class: 'viewer-main' }, this.stage.element, this.legend, this.message));
  private readonly onKey = (event: KeyboardEvent): void => this.key(event);
  private study = '';
  private opened = 0;

  constructor(private readonly all: Series[] = []) {
    this.stage.onChange = () => this.redraw();
    document.addEventListener('keydown', this.onKey);
  }

  /** Opens a series; a later call wins over one still loading. */
  async open(study: string, series: string, layout?: LayoutName): Promise<boolean> {
    this.cine.stop();
    this.study = study;
    const turn = (this.opened += 1);
    fill(this.message, t('viewer.loading'));
    try {
      const loaded = await loadSeries(study, series);
      if (turn !== this.opened) return false;
      this.state.rate_hz = loaded.frameRate_hz ?? USUAL_RATE_HZ;
      this.state.fusable = loaded.isVolume ? this.all.filter((one) => one.series_uid !== series && ['PT', 'NM', 'CT', 'MR'].includes(one.modality))
        .map((one) => ({ series_uid: one.series_uid, text: `${one.modality} ${one.description}`.trim() })) : [];
      this.state.besides = this.all.filter((one) => one.series_uid !== series && !NOT_IMAGES.includes(one.modality))
        .map((one) => ({ series_uid: one.series_uid, text: `${one.modality} ${one.description}`.trim() }));
      await this.stage.show(loaded, layout);
      fill(this.message);
      return true;
    } catch (error) {
      if (turn === this.opened) fill(this.message, h('p', { class: 'problem' }, t('viewer.failed', { why: String((error as Error).message) })));
      return false;
    }
  }

  async fuse(series_uid: string | null): Promise<void> {
    try {
      const other = series_uid ? await loadSeries(this.study, series_uid) : null;
      if (other && (!other.isVolume || other.frameOfReference !== this.stage.series?.frameOfReference)) throw new Error(t('fusion.apart'));
      fill(this.message);
      await this.stage.fuse(other);
    } catch (error) {
      fill(this.message, h('p', { class: 'problem' }, String((error as Error).message)));
      this.redraw();
    }
  }

  async beside(series_uid: string | null): Promise<void> {
    try {
      const other = series_uid ? await loadSeries(this.study, series_uid) : null;
      fill(this.message);
      await this.stage.compare(other);
    } catch (error) {
      fill(this.message, h('p', { class: 'problem' }, t('viewer.failed', { why: String((error as Error).message) })));
      this.redraw();
    }
  }

  private redraw(): void {
    drawToolbar(this.bar, this.stage, this.state, this.cine);
    drawLegend(this.legend, this.stage);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.stage.series) return;
    if (event.target instanceof HTMLElement && event.target.closest('input, select, textarea, button, a, summary, [role=dialog]')) return;
    const tool = toolOfKey(event.key);
    const preset = presetsOf(this.stage.series)[Number(event.key) - 1];
    const act = tool ? () => { this.state.tool = tool; this.stage.setTool(tool); }
      : preset ? () => this.stage.setWindow(preset) : this.actionOf(event.key);
    if (!act) return;
    event.preventDefault();
    act();
    this.redraw();
  }

  private actionOf(key: string): (() => void) | undefined {
    return ({
      ArrowUp: () => this.stage.scroll(-1), ArrowDown: () => this.stage.scroll(1), PageUp: () => this.stage.scroll(-10), PageDown: () => this.stage.scroll(10),
      Home: () => this.stage.jumpToFrame(0), End: () => this.stage.jumpToFrame(this.stage.sliceCount - 1),
      ' ': () => { if (this.cine.isPlaying) this.cine.stop(); else this.cine.start(this.state.rate_hz); },
      r: () => this.stage.reset(), i: () => this.stage.setInverted(!this.stage.isInverted),
    } as Record<string, () => void>)[key];
  }

  close(): void {
    this.cine.stop();
    document.removeEventListener('keydown', this.onKey);
    this.stage.close();
  }
}
