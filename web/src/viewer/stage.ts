import { cache, Enums, RenderingEngine, StackViewport, utilities, volumeLoader, VolumeViewport, type Types } from '@cornerstonejs/core';
import type { Finding } from '../api/types';
import { h } from '../lib/dom';
import { t } from '../lib/i18n';
import { dot, type Triple } from './geometry';
import { paintVolume, SLAB_MM, type LabelSet } from './labels';
import { Overlay, REDRAW_EVENTS, type Marked, type OtherPlane } from './overlay';
import type { LoadedSeries } from './series';
import { handHeaders, HOT, startViewer } from './setup';
import { chooseTool, makeToolGroup, removeToolGroup, type Group, type LeftTool } from './tools';
import { firstLayout, layoutsOf, viewportInput, type LayoutName, type ViewKind } from './views';
import { firstWindow, windowOfValues, type Window } from './windows';

interface View { id: string; kind: ViewKind; element: HTMLDivElement; overlay: Overlay }
export interface Fusion { series: LoadedSeries; opacity: number; window: Window | undefined }

let stages = 0;

/** One or more linked views of one series, what is laid over them, and where they stand. */
export class Stage {
  readonly element = h('div', { class: 'stage', role: 'group', 'aria-label': t('viewer.images') });
  series: LoadedSeries | null = null;
  layout: LayoutName = 'one';
  fusion: Fusion | null = null;
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
    }
    this.series = series;
    handHeaders(series);
    const fits = layoutsOf(series);
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
    const kinds = layoutsOf(series).find((one) => one.name === layout)?.views ?? ['frames'];
    this.views = kinds.map((kind, index) => makeView(`${this.id}-${index}`, kind));
    this.element.dataset['views'] = String(kinds.length);
    this.element.replaceChildren(...this.views.map((view) => view.element));
    this.engine.setViewports(this.views.map((view) => viewportInput(view.id, view.kind, view.element)));
    for (const view of this.views) this.connect(view);
    chooseTool(this.group, this.tool);
    await (series.isVolume ? this.fillVolumes(series) : this.fillFrames(series));
    this.onChange();
  }

  private connect(view: View): void {
    this.group!.addViewport(view.id, this.id);
    for (const event of REDRAW_EVENTS) view.element.addEventListener(event, () => this.redraw(view));
    view.element.addEventListener(Enums.Events.CAMERA_MODIFIED, () => this.redrawOthers(view));
    view.element.addEventListener('dblclick', (event) => {
      const box = view.element.getBoundingClientRect();
      this.jumpTo(this.viewport(view).canvasToWorld([event.clientX - box.left, event.clientY - box.top]) as Triple);
    });
    view.element.append(view.overlay.element);
  }

  private viewport(view: View): StackViewport | VolumeViewport {
    return this.engine!.getViewport(view.id) as StackViewport | VolumeViewport;
  }

  private async fillFrames(series: LoadedSeries): Promise<void> {
    for (const view of this.views) {
      const viewport = this.viewport(view) as StackViewport;
      await viewport.setStack(series.imageIds, series.frameRate_hz ? 0 : Math.floor((series.imageIds.length - 1) / 2));
      if (!series.isColour && !firstWindow(series)) {
        const window = windowOfValues(viewport.getCornerstoneImage()?.getPixelData() ?? []);
        if (window) viewport.setProperties({ voiRange: window });
      }
      viewport.render();
    }
  }

  private async fillVolumes(series: LoadedSeries): Promise<void> {
    const volumeId = await this.volumeOf(series);
    await Promise.all(this.views.map(async (view) => {
      const viewport = this.viewport(view) as VolumeViewport;
      await viewport.setVolumes([{ volumeId }]);
      if (view.kind === 'mip') {
        viewport.setBlendMode(Enums.BlendModes.MAXIMUM_INTENSITY_BLEND);
        viewport.setSlabThickness(2000);
      }
    }));
    const window = firstWindow(series) ?? valuesWindow(volumeId);
    this.isInverted = series.modality === 'PT' || series.modality === 'NM';
    if (window) this.setWindow(window);
    this.setInverted(this.isInverted && !this.fusion);
    await this.layOver();
    this.engine?.renderViewports(this.views.map((view) => view.id));
  }

  /** The volume of a series; its slices stream in, and a window made of values is set once they are there. */
  private async volumeOf(series: LoadedSeries): Promise<string> {
    const volumeId = `cornerstoneStreamingImageVolume:${series.series_uid}`;
    handHeaders(series);
    const volume = await volumeLoader.createAndCacheVolume(volumeId, { imageIds: series.imageIds });
    if ('load' in volume && typeof volume.load === 'function') {
      volume.load(() => {
        if (this.isClosed || this.series !== series || firstWindow(series)) return;
        const window = valuesWindow(volumeId);
        if (window) this.setWindow(window);
      });
    }
    return volumeId;
  }

  /** Adds fusion and labels to the views. */
  private async layOver(): Promise<void> {
    const fusionId = this.fusion ? await this.volumeOf(this.fusion.series) : null;
    for (const view of this.views) {
      const viewport = this.viewport(view);
      if (!(viewport instanceof VolumeViewport)) continue;
      if (fusionId && view.kind !== 'mip') {
        await viewport.addVolumes([{ volumeId: fusionId, visibility: true, callback: ({ volumeActor }) => volumeActor.getProperty().setScalarOpacityUnitDistance(0, SLAB_MM) }]);
        this.paintFusion(viewport, fusionId);
      }
      for (const set of this.labels) if (set.volumeId && view.kind !== 'mip') await addLabels(viewport, set);
    }
  }

  private paintFusion(viewport: VolumeViewport, volumeId: string): void {
    const fusion = this.fusion!;
    const window = fusion.window ?? firstWindow(fusion.series) ?? valuesWindow(volumeId);
    viewport.setProperties({ ...(window ? { voiRange: window } : {}),
      colormap: { name: HOT, opacity: [{ value: 0, opacity: 0 }, { value: 0.15 * (window?.upper ?? 1), opacity: fusion.opacity * 0.8 }, { value: window?.upper ?? 1, opacity: fusion.opacity }] } }, volumeId);
  }

  /** Lays a second series over the first; null takes it away. Both must lie in the same frame of reference. */
  async fuse(series: LoadedSeries | null): Promise<void> {
    this.fusion = series ? { series, opacity: this.fusion?.opacity ?? 0.6, window: undefined } : null;
    await this.arrange(series && this.layout === 'one' ? 'mpr_mip' : this.layout);
  }

  setFusionOpacity(opacity: number): void {
    if (!this.fusion) return;
    this.fusion.opacity = opacity;
    const volumeId = `cornerstoneStreamingImageVolume:${this.fusion.series.series_uid}`;
    for (const viewport of this.planes()) if (viewport.hasVolumeId(volumeId)) this.paintFusion(viewport, volumeId);
    this.render();
  }

  private planes(): VolumeViewport[] {
    return this.views.map((view) => this.viewport(view)).filter((viewport) => viewport instanceof VolumeViewport);
  }

  async addLabelSet(set: LabelSet): Promise<void> {
    this.labels.push(set);
    for (const view of this.views) {
      const viewport = this.viewport(view);
      if (viewport instanceof VolumeViewport && set.volumeId && view.kind !== 'mip') await addLabels(viewport, set);
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
      else this.jumpToFrame(nearestFrame(this.series!, point_mm));
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
    const id = this.series?.isVolume ? `cornerstoneStreamingImageVolume:${this.series.series_uid}` : undefined;
    for (const view of this.views) {
      const viewport = this.viewport(view);
      if (viewport instanceof VolumeViewport) viewport.setProperties({ voiRange: window }, id);
      else viewport.setProperties({ voiRange: window });
    }
    this.render();
  }

  setInverted(isInverted: boolean): void {
    this.isInverted = isInverted;
    for (const view of this.views) {
      const viewport = this.viewport(view);
      if (viewport instanceof VolumeViewport) viewport.setProperties({ invert: isInverted }, `cornerstoneStreamingImageVolume:${this.series!.series_uid}`);
      else viewport.setProperties({ invert: isInverted });
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
    if (this.views.length > 0) this.engine?.resize(true, true);
  }

  private render(): void { this.engine?.renderViewports(this.views.map((view) => view.id)); }

  private redrawAll(): void { for (const view of this.views) this.redraw(view); }

  private redrawOthers(moved: View): void {
    for (const view of this.views) if (view !== moved) this.redraw(view);
  }

  private redraw(view: View): void {
    if (!this.series || this.isClosed || !this.engine) return;
    const others: OtherPlane[] = this.views.filter((other) => other !== view && other.kind !== 'mip' && other.kind !== 'frames').flatMap((other) => {
      const { focalPoint, viewPlaneNormal } = this.viewport(other).getCamera();
      return focalPoint && viewPlaneNormal ? [{ point: focalPoint as Triple, normal: viewPlaneNormal as Triple, kind: other.kind }] : [];
    });
    view.overlay.draw(this.viewport(view), { series: this.series, labels: this.labels, findings: this.findings, others, cross_mm: null });
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

function makeView(id: string, kind: ViewKind): View {
  const element = h('div', { class: `view view-${kind}`, tabindex: 0, role: 'img', 'aria-label': t(`view.${kind}`) });
  element.addEventListener('contextmenu', (event) => event.preventDefault());
  return { id, kind, element, overlay: new Overlay(kind) };
}

async function addLabels(viewport: VolumeViewport, set: LabelSet): Promise<void> {
  await viewport.addVolumes([{ volumeId: set.volumeId!, actorUID: set.id, visibility: true, callback: ({ volumeActor }) => paintVolume(volumeActor, set) }]);
}

function valuesWindow(volumeId: string): Window | undefined {
  const volume = cache.getVolume(volumeId);
  return volume ? windowOfValues(volume.voxelManager?.getCompleteScalarDataArray?.() ?? []) : undefined;
}

function nearestFrame(series: LoadedSeries, point_mm: Triple): number {
  const distances = series.planes.map((plane) => (plane ? Math.abs(dot(point_mm, plane.normal) - dot(plane.position_mm, plane.normal)) : Infinity));
  return Math.max(0, distances.indexOf(Math.min(...distances)));
}
