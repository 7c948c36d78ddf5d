import { cache, Enums, RenderingEngine, StackViewport, utilities, VolumeViewport, type Types } from '@cornerstonejs/core';
import type { Finding } from '../api/types';
import { h } from '../lib/dom';
import { t } from '../lib/i18n';
import { centreOfPlane, nearestPlane, type Triple } from './geometry';
import { paintVolume, type LabelSet } from './labels';
import { Overlay, REDRAW_EVENTS, type Marked, type OtherPlane } from './overlay';
import type { LoadedSeries } from './series';
import { handHeaders, startViewer } from './setup';
import { valueAt } from './probe';
import { chooseTool, makeToolGroup, removeToolGroup, type Group, type LeftTool } from './tools';
import { besideKind, firstLayout, layoutsOf, viewportInput, type LayoutName, type ViewKind } from './views';
import { addLabels, fusionOver, paintFusion, resizeFitted, valuesWindow, volumeIdOf, volumeOf, type Fusion } from './volumes';
import { firstWindow, windowOfValues, type Window } from './windows';

interface View { id: string; kind: ViewKind; element: HTMLDivElement; overlay: Overlay; series: LoadedSeries }

let stages = 0;

/** One or more linked views of one series, what is laid over them, and where they stand. */
export class Stage {
  readonly element = h('div', { class: 'stage', role: 'group', 'aria-label': t('viewer.images') });
  series: LoadedSeries | null = null;
  layout: LayoutName = 'one';
  fusion: Fusion | null = null;
  /** A second series beside the first, scrolled with it. */
  beside: LoadedSeries | null = null;
  labels: LabelSet[] = [];
  isInverted = false;
  onChange: () => void = () => undefined;
  private findings: Marked[] = [];
  private views: View[] = [];
  private readonly id = `stage-${(stages += 1)}`;
  private engine: RenderingEngine | null = null;
  private group: Group | null = null;
  private tool: LeftTool = 'window';
  private isClosed = false;
  private leader: View | null = null;
  private readonly resized = new ResizeObserver(() => this.resize());

  constructor() { this.resized.observe(this.element); }

  /** Shows a series; labels and findings of another one go. */
  async show(series: LoadedSeries, layout?: LayoutName): Promise<void> {
    await startViewer();
    if (this.isClosed) return;
    if (this.series?.series_uid !== series.series_uid) {
      this.labels = [];
      this.findings = [];
      this.fusion = null;
      this.beside = null;
    }
    this.series = series;
    handHeaders(series);
    const fits = layoutsOf(series, false);
    const wanted = layout ?? firstLayout(series, this.fusion !== null);
    await this.arrange((fits.find((one) => one.name === wanted) ?? fits[0]!).name);
  }

  async arrange(layout: LayoutName): Promise<void> {
    const series = this.series;
    if (!series) return;
    this.layout = layout;
    this.engine ??= new RenderingEngine(this.id);
    this.group ??= makeToolGroup(this.id);
    for (const view of this.views) this.group.removeViewports(this.id, view.id);
    const specs = this.specsOf(series, layout);
    this.leader = null;
    this.views = specs.map((spec, index) => makeView(`${this.id}-${index}`, spec.kind, spec.series));
    this.element.dataset['views'] = String(specs.length);
    this.element.replaceChildren(...this.views.map((view) => view.element));
    this.engine.setViewports(this.views.map((view) => viewportInput(view.id, view.kind, view.element)));
    for (const view of this.views) this.connect(view);
    chooseTool(this.group, this.tool);
    this.isInverted = isDarkOnLight(series) && !this.fusion;
    await Promise.all(this.views.map((view) => (view.series.isVolume ? this.fillVolume(view) : this.fillFrames(view))));
    this.render();
    this.onChange();
  }

  /** What each view shows: of a fused pair the projection is that of the upper series, where the lesions are. */
  private specsOf(series: LoadedSeries, layout: LayoutName): { kind: ViewKind; series: LoadedSeries }[] {
    const kinds = layoutsOf(series, this.beside !== null).find((one) => one.name === layout)?.views ?? ['frames'];
    return kinds.map((kind, index) => layout === 'pair'
      ? { kind: besideKind(index === 0 ? series : this.beside!), series: index === 0 ? series : this.beside! }
      : { kind, series: kind === 'mip' && this.fusion ? this.fusion.series : series });
  }

  private connect(view: View): void {
    this.group!.addViewport(view.id, this.id);
    view.element.tabIndex = 0;  // Cornerstone takes it out of the order of the keys
    for (const event of REDRAW_EVENTS) view.element.addEventListener(event, () => this.redraw(view));
    for (const event of [Enums.Events.CAMERA_MODIFIED, Enums.Events.STACK_NEW_IMAGE]) view.element.addEventListener(event, () => this.moved(view));
    for (const event of ['pointerenter', 'pointerdown', 'wheel', 'focus']) view.element.addEventListener(event, () => { this.leader = view; }, { passive: true });
    view.element.addEventListener('pointermove', (event) => this.point(view, event));
    view.element.addEventListener('pointerleave', () => view.overlay.showValue(''));
    view.element.addEventListener('dblclick', (event) => {
      const box = view.element.getBoundingClientRect();
      this.jumpTo(this.viewport(view).canvasToWorld([event.clientX - box.left, event.clientY - box.top]) as Triple);
    });
    view.element.append(view.overlay.element);
  }

  /** Says the values under the pointer: of the image, and of what is fused with it. */
  private point(view: View, event: PointerEvent): void {
    if (view.kind === 'mip' || !this.engine) return;
    const box = view.element.getBoundingClientRect(), viewport = this.viewport(view);
    const point = viewport.canvasToWorld([event.clientX - box.left, event.clientY - box.top]);
    const shown = [view.series, ...(this.fusion && view.series === this.series ? [this.fusion.series] : [])];
    view.overlay.showValue(shown.map((series) => valueAt(viewport, series, point)).filter(Boolean).join(' · '));
  }

  private viewport(view: View): StackViewport | VolumeViewport {
    return this.engine!.getViewport(view.id) as StackViewport | VolumeViewport;
  }

  private async fillFrames(view: View): Promise<void> {
    const { series } = view, viewport = this.viewport(view) as StackViewport;
    await viewport.setStack(series.imageIds, series.frameRate_hz ? 0 : Math.floor((series.imageIds.length - 1) / 2));
    if (series.isColour || firstWindow(series)) return;
    const window = windowOfValues(viewport.getCornerstoneImage()?.getPixelData() ?? []);
    if (window) viewport.setProperties({ voiRange: window });
  }

  private async fillVolume(view: View): Promise<void> {
    const { series } = view, viewport = this.viewport(view) as VolumeViewport;
    const volumeId = await volumeOf(series, () => {
      const window = this.isClosed || firstWindow(series) ? undefined : valuesWindow(volumeIdOf(series));
      if (window && this.views.includes(view)) { viewport.setProperties({ voiRange: window }, volumeIdOf(series)); this.render(); }
    });
    if (this.isClosed || !this.views.includes(view)) return;
    await viewport.setVolumes([{ volumeId }]);
    if (view.kind === 'mip') {
      viewport.setBlendMode(Enums.BlendModes.MAXIMUM_INTENSITY_BLEND);
      viewport.setSlabThickness(2000);
    }
    const window = firstWindow(series) ?? valuesWindow(volumeId);
    const invert = isDarkOnLight(series) && (!this.fusion || view.kind === 'mip');
    viewport.setProperties({ ...(window ? { voiRange: window } : {}), invert }, volumeId);
    if (view.kind === 'mip') return;
    if (this.fusion && view.series === this.series) await fusionOver(viewport, this.fusion);
    for (const set of this.labelsOf(view)) await addLabels(viewport, set);
  }

  /** The labels that lie in a view's patient space and can be drawn in its plane. */
  private labelsOf(view: View): LabelSet[] {
    return this.labels.filter((set) => set.frameOfReference === view.series.frameOfReference);
  }

  /** Lays a second series over the first; null takes it away. Both must lie in the same frame of reference. */
  async fuse(series: LoadedSeries | null): Promise<void> {
    this.fusion = series ? { series, opacity: this.fusion?.opacity ?? 0.6, window: undefined } : null;
    await this.arrange(series && (this.layout === 'one' || this.layout === 'pair') ? 'mpr_mip' : this.layout);
  }

  /** Shows a second series beside the first; null takes it away. */
  async compare(series: LoadedSeries | null): Promise<void> {
    this.beside = series;
    this.fusion = null;
    if (series) handHeaders(series);
    await this.arrange(series ? 'pair' : 'one');
  }

  setFusionOpacity(opacity: number): void {
    if (!this.fusion) return;
    this.fusion.opacity = opacity;
    for (const view of this.views) if (view.kind !== 'mip') paintFusion(this.viewport(view) as VolumeViewport, this.fusion);
    this.render();
  }

  private planes(): VolumeViewport[] {
    return this.views.map((view) => this.viewport(view)).filter((viewport) => viewport instanceof VolumeViewport);
  }

  async addLabelSet(set: LabelSet): Promise<void> {
    this.labels.push(set);
    for (const view of this.views) {
      const viewport = this.viewport(view);
      if (viewport instanceof VolumeViewport && view.kind !== 'mip' && this.labelsOf(view).includes(set)) await addLabels(viewport, set);
    }
    this.render();
    this.onChange();
  }

  removeLabelSet(set: LabelSet): void {
    this.labels = this.labels.filter((one) => one !== set);
    for (const viewport of this.planes()) viewport.removeVolumeActors([set.id], true);
    if (set.volumeId) cache.removeVolumeLoadObject(set.volumeId);
    this.render();
    this.onChange();
  }

  /** After a colour, the opacity or the visibility of labels changed. */
  repaint(set: LabelSet): void {
    for (const viewport of this.planes()) {
      const actor = viewport.getActor(set.id)?.actor as Types.VolumeActor | undefined;
      if (actor) paintVolume(actor, set);
    }
    this.render();
  }

  /** Marks the findings of a result that are about this series; their numbers are those of the result's list. */
  setFindings(findings: Finding[]): void {
    const uid = this.series?.series_uid;
    this.findings = findings.map((finding, index) => ({ finding, index, isChosen: false })).filter(({ finding }) => !finding.series_uid || finding.series_uid === uid);
    this.redrawAll();
  }

  chooseFinding(finding: Finding): void {
    this.findings.forEach((marked) => { marked.isChosen = marked.finding === finding; });
    if (finding.centre_mm) this.jumpTo(finding.centre_mm as Triple);
    else this.jumpToFrame(finding.frame ?? 0);
    this.redrawAll();
  }

  /** Brings every view to a point of the patient. */
  jumpTo(point_mm: Triple): void {
    for (const view of this.views) {
      const viewport = this.viewport(view);
      if (viewport instanceof VolumeViewport) viewport.jumpToWorld(point_mm);
      else void viewport.setImageIdIndex(nearestPlane(view.series.planes, point_mm));
    }
    this.render();
  }

  jumpToFrame(frame: number): void {
    for (const view of this.views) {
      const viewport = this.viewport(view);
      if (viewport instanceof StackViewport) void viewport.setImageIdIndex(Math.min(Math.max(frame, 0), viewport.getImageIds().length - 1));
      else void utilities.jumpToSlice(view.element, { imageIndex: frame });
    }
  }

  /** Scrolls the first view (cine, keys); `isLoop` starts again at the end. */
  scroll(by: number, isLoop = false): void {
    const view = this.views[0];
    if (!view) return;
    const viewport = this.viewport(view), count = viewport.getNumberOfSlices();
    this.leader = view;
    const next = viewport.getSliceIndex() + by;
    const index = isLoop ? (next + count) % count : Math.min(Math.max(next, 0), count - 1);
    if (viewport instanceof StackViewport) void viewport.setImageIdIndex(index);
    else void utilities.jumpToSlice(view.element, { imageIndex: index });
  }

  get sliceCount(): number { return this.views[0] ? this.viewport(this.views[0]).getNumberOfSlices() : 0; }

  setTool(tool: LeftTool): void {
    this.tool = tool;
    if (this.group) chooseTool(this.group, tool);
  }

  setWindow(window: Window): void {
    this.change({ voiRange: window });
  }

  setInverted(isInverted: boolean): void {
    this.isInverted = isInverted;
    this.change({ invert: isInverted });
  }

  /** Of the views that show the same kind of image as the first. */
  private change(properties: { voiRange?: Window; invert?: boolean }): void {
    for (const view of this.views) {
      if (view.series.modality !== this.series?.modality) continue;
      const viewport = this.viewport(view);
      if (viewport instanceof VolumeViewport) viewport.setProperties(properties, volumeIdOf(view.series));
      else viewport.setProperties(properties);
    }
    this.render();
  }

  reset(): void {
    for (const view of this.views) this.viewport(view).resetCamera();
    const window = this.series ? firstWindow(this.series) : undefined;
    if (window) this.setWindow(window);
    this.render();
  }

  resize(): void {
    if (this.engine && this.views.length > 0) resizeFitted(this.engine, this.views.map((view) => this.viewport(view)));
  }

  private render(): void { this.engine?.renderViewports(this.views.map((view) => view.id)); }

  private redrawAll(): void { for (const view of this.views) this.redraw(view); }

  /** Lines of this plane in the others, and a series beside it that is led along. */
  private moved(view: View): void {
    for (const other of this.views) if (other !== view) this.redraw(other);
    if (this.layout !== 'pair' || this.leader !== view) return;
    for (const other of this.views) if (other !== view) this.lead(view, other);
  }

  /** By place where both lie in one frame of reference, else by their share of the way. */
  private lead(view: View, other: View): void {
    const from = this.viewport(view), to = this.viewport(other);
    const index = from.getSliceIndex(), last = Math.max(1, from.getNumberOfSlices() - 1);
    const point = from instanceof VolumeViewport ? (from.getCamera().focalPoint as Triple) : centreOfPlane(view.series.planes[index], view.series.first);
    const isShared = view.series.frameOfReference === other.series.frameOfReference && point !== undefined;
    if (to instanceof VolumeViewport && isShared) { to.jumpToWorld(point); to.render(); return; }
    const frame = isShared && other.series.isPlaced ? nearestPlane(other.series.planes, point) : Math.round((index / last) * (to.getNumberOfSlices() - 1));
    if (frame === to.getSliceIndex()) return;
    if (to instanceof StackViewport) void to.setImageIdIndex(frame);
    else void utilities.jumpToSlice(other.element, { imageIndex: frame });
  }

  private redraw(view: View): void {
    if (!this.series || this.isClosed || !this.engine) return;
    const others: OtherPlane[] = this.views.filter((other) => other !== view && other.kind !== 'mip' && other.kind !== 'frames').flatMap((other) => {
      const { focalPoint, viewPlaneNormal } = this.viewport(other).getCamera();
      return focalPoint && viewPlaneNormal ? [{ point: focalPoint as Triple, normal: viewPlaneNormal as Triple, kind: other.kind }] : [];
    });
    view.overlay.draw(this.viewport(view), { series: view.series, labels: this.labelsOf(view), findings: view.series.frameOfReference === this.series.frameOfReference ? this.findings : [], others });
  }

  close(): void {
    this.isClosed = true;
    this.resized.disconnect();
    removeToolGroup(this.id);
    this.engine?.destroy();
    this.engine = null;
    this.views = [];
  }
}

const isDarkOnLight = (series: LoadedSeries): boolean => series.isVolume && (series.modality === 'PT' || series.modality === 'NM');

function makeView(id: string, kind: ViewKind, series: LoadedSeries): View {
  const element = h('div', { class: `view view-${kind}`, tabindex: 0, role: 'img', 'aria-label': `${t(`view.${kind}`)} ${series.modality}` });
  element.addEventListener('contextmenu', (event) => event.preventDefault());
  return { id, kind, element, overlay: new Overlay(kind), series };
}
