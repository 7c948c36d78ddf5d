import { Enums, utilities, type StackViewport, type Types, type VolumeViewport } from '@cornerstonejs/core';
import type { Finding } from '../api/types';
import { fill, h, svg } from '../lib/dom';
import { formatNumber, t } from '../lib/i18n';
import { numberOf } from './dicomjson';
import { dot, lettersOf, type Triple } from './geometry';
import { css, pictureOf, type LabelSet } from './labels';
import type { LoadedSeries } from './series';
import type { ViewKind } from './views';

export interface Marked { finding: Finding; index: number; isChosen: boolean }
export interface OtherPlane { point: Triple; normal: Triple; kind: ViewKind }
export interface OverlayState { series: LoadedSeries; labels: LabelSet[]; findings: Marked[]; others: OtherPlane[] }

const RULED_PX = 4000;

/** What lies over one view: corner texts, letters, findings, lines of the other planes, labels of a picture. */
export class Overlay {
  readonly element = h('div', { class: 'overlay', 'aria-hidden': 'true' });
  private readonly canvas = h('canvas', { class: 'overlay-labels' });
  private readonly drawing = svg('svg', { class: 'overlay-drawing' });
  private readonly corners = { tl: h('div', { class: 'corner tl' }), tr: h('div', { class: 'corner tr' }), bl: h('div', { class: 'corner bl' }), br: h('div', { class: 'corner br' }) };
  private readonly letters = { top: h('span', { class: 'letter top' }), bottom: h('span', { class: 'letter bottom' }), left: h('span', { class: 'letter left' }), right: h('span', { class: 'letter right' }) };

  private readonly value = h('span', { class: 'value' });

  constructor(private readonly kind: ViewKind) {
    this.element.append(this.canvas, this.drawing, ...Object.values(this.corners), ...Object.values(this.letters));
  }

  /** What lies under the pointer. */
  showValue(text: string): void { this.value.textContent = text; }

  draw(viewport: StackViewport | VolumeViewport, state: OverlayState): void {
    const camera = viewport.getCamera();
    if (!camera.viewPlaneNormal || !camera.viewUp || !camera.focalPoint) return;
    this.drawCorners(viewport, state);
    this.drawLetters(camera.viewUp as Triple, camera.viewPlaneNormal as Triple, state.series);
    const marks = state.findings.flatMap((marked) => this.markOf(viewport, state.series, marked));
    fill(this.drawing, this.kind === 'mip' ? [] : state.others.flatMap((other) => lineOf(viewport, camera, other)), marks);
    this.drawPictures(viewport, state);
  }

  private drawCorners(viewport: StackViewport | VolumeViewport, { series }: OverlayState): void {
    const range = viewport.getProperties()?.voiRange;
    const count = viewport.getNumberOfSlices(), at = viewport.getSliceIndex() + 1;
    fill(this.corners.tl, h('b', {}, series.description || series.modality), h('span', {}, t(`view.${this.kind}`)));
    fill(this.corners.tr, series.isSynthetic && h('b', { class: 'synthetic' }, t('view.synthetic')));
    fill(this.corners.bl, this.value, this.kind === 'mip' ? null : h('span', { class: 'slice' }, `${at} / ${count}`));
    fill(this.corners.br, range && !series.isColour
      ? h('span', {}, `W ${formatNumber(range.upper - range.lower)}  L ${formatNumber((range.upper + range.lower) / 2)} ${series.unit}`) : null);
  }

  private drawLetters(up: Triple, normal: Triple, series: LoadedSeries): void {
    const placed = series.planes[0] !== undefined;
    const right: Triple = [up[1] * normal[2] - up[2] * normal[1], up[2] * normal[0] - up[0] * normal[2], up[0] * normal[1] - up[1] * normal[0]];
    const minus = (v: Triple): Triple => [-v[0], -v[1], -v[2]];
    const directions = { top: up, bottom: minus(up), left: minus(right), right };
    for (const side of ['top', 'bottom', 'left', 'right'] as const) this.letters[side].textContent = placed ? lettersOf(directions[side]) : '';
  }

  /** A finding's box where this slice meets it, or a ring about its centre. */
  private markOf(viewport: StackViewport | VolumeViewport, series: LoadedSeries, { finding, index, isChosen }: Marked): SVGElement[] {
    const points = this.pointsOf(viewport, series, finding);
    if (points.length === 0) return [];
    const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
    const x = Math.min(...xs), y = Math.min(...ys), width = Math.max(...xs) - x, height = Math.max(...ys) - y;
    const look = { class: isChosen ? 'finding chosen' : 'finding' };
    const shape = points.length === 1 ? svg('circle', { ...look, cx: x, cy: y, r: 14 }) : svg('rect', { ...look, x, y, width, height, rx: 2 });
    return [shape, svg('text', { ...look, x: x + width + 4, y: y + 12 }, `${index + 1}`)];
  }

  private pointsOf(viewport: StackViewport | VolumeViewport, series: LoadedSeries, finding: Finding): Types.Point2[] {
    const { box_mm, centre_mm, box_px, centre_px, frame } = finding;
    if (box_mm?.length === 6 || centre_mm?.length === 3) {
      const corners = box_mm?.length === 6 ? cornersOf(box_mm) : [centre_mm as Triple];
      return this.kind === 'mip' || this.meets(viewport, corners) ? corners.map((corner) => viewport.worldToCanvas(corner)) : [];
    }
    if (this.kind !== 'frames' || (frame !== undefined && frame !== viewport.getSliceIndex())) return [];
    const flat: Types.Point2[] = box_px && box_px.length >= 4
      ? [[box_px[0]!, box_px[1]!], [box_px[box_px.length === 6 ? 3 : 2]!, box_px[box_px.length === 6 ? 4 : 3]!]]
      : centre_px ? [[centre_px[0]!, centre_px[1]!]] : [];
    const imageId = series.imageIds[viewport.getSliceIndex()];
    if (!imageId) return [];
    return flat.map((point) => utilities.imageToWorldCoords(imageId, point)).filter((p) => p !== undefined).map((p) => viewport.worldToCanvas(p as Triple));
  }

  private meets(viewport: StackViewport | VolumeViewport, corners: Triple[]): boolean {
    const { focalPoint, viewPlaneNormal } = viewport.getCamera();
    const depths = corners.map((corner) => dot(corner, viewPlaneNormal!) - dot(focalPoint!, viewPlaneNormal!));
    const near_mm = corners.length === 1 ? 4 : 1;
    return Math.min(...depths) <= near_mm && Math.max(...depths) >= -near_mm;
  }

  /** Labels of pictures and cines: painted where the image's corners lie. */
  private drawPictures(viewport: StackViewport | VolumeViewport, { series, labels }: OverlayState): void {
    const pen = this.canvas.getContext('2d');
    if (!pen) return;
    this.canvas.width = this.element.clientWidth;
    this.canvas.height = this.element.clientHeight;
    const frame = viewport.getSliceIndex(), imageId = series.imageIds[frame];
    if (this.kind !== 'frames' || !imageId) return;
    for (const set of labels) {
      const columns = numberOf(series.first, '00280011') ?? 0, rows = numberOf(series.first, '00280010') ?? 0;
      const picture = pictureOf(set, frame, series.planes[frame], columns, rows);
      const corners = ([[-0.5, -0.5], picture ? [picture.width - 0.5, picture.height - 0.5] : [0, 0]] as Types.Point2[])
        .map((point) => utilities.imageToWorldCoords(imageId, point)).filter((p) => p !== undefined);
      if (!picture || corners.length !== 2) continue;
      const [a, b] = corners.map((corner) => viewport.worldToCanvas(corner as Triple));
      const holder = new OffscreenCanvas(picture.width, picture.height);
      holder.getContext('2d')?.putImageData(picture, 0, 0);
      pen.imageSmoothingEnabled = false;
      pen.drawImage(holder, a![0], a![1], b![0] - a![0], b![1] - a![1]);
    }
  }
}

function cornersOf(box: number[]): Triple[] {
  const pick = (axis: number, high: number): number => box[axis + 3 * high]!;
  return [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [pick(0, n & 1), pick(1, (n >> 1) & 1), pick(2, (n >> 2) & 1)]);
}

/** Where another view's plane cuts this one. */
function lineOf(viewport: StackViewport | VolumeViewport, camera: Types.ICamera, other: OtherPlane): SVGElement[] {
  const normal = camera.viewPlaneNormal as Triple, n = other.normal;
  const direction: Triple = [normal[1] * n[2] - normal[2] * n[1], normal[2] * n[0] - normal[0] * n[2], normal[0] * n[1] - normal[1] * n[0]];
  const length = Math.hypot(...direction);
  if (length < 0.2) return [];
  const depth = dot(camera.focalPoint!, normal) - dot(other.point, normal);
  const inPlane = (index: number): number => other.point[index]! + normal[index]! * depth;
  const at: Triple = [inPlane(0), inPlane(1), inPlane(2)];
  const a = viewport.worldToCanvas(at), b = viewport.worldToCanvas([at[0] + direction[0] / length, at[1] + direction[1] / length, at[2] + direction[2] / length]);
  const step = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  const x = ((b[0] - a[0]) / step) * RULED_PX, y = ((b[1] - a[1]) / step) * RULED_PX;
  return [svg('line', { class: `plane-line ${other.kind}`, x1: a[0] - x, y1: a[1] - y, x2: a[0] + x, y2: a[1] + y })];
}

export const swatch = (set: LabelSet, value: number): string => css(set.segments.find((segment) => segment.value === value)?.colour ?? [128, 128, 128]);
export const REDRAW_EVENTS = [Enums.Events.IMAGE_RENDERED, Enums.Events.CAMERA_MODIFIED, Enums.Events.VOI_MODIFIED];
