import { volumeLoader, type Types } from '@cornerstonejs/core';
import type { Segment } from '../api/types';
import { dot, type Plane, type Triple } from './geometry';
import type { LabelVoxels } from './nifti';
import type { LoadedSeries } from './series';

export interface LabelSegment { value: number; name: string; colour: Triple; isVisible: boolean; volume_ml: number | undefined }
/** Labels laid over an image: a volume, or one picture a frame. */
export interface LabelSet {
  id: string; name: string; segments: LabelSegment[]; opacity: number; isVisible: boolean; voxels: LabelVoxels; volumeId: string | null; series_uid: string; frameOfReference: string;
  /** Lies in the patient, so that every plane can be filled from it; else it has one picture a frame. */
  isPlaced: boolean;
}

// Apart in hue and lightness, also for people who mix up red and green (after Okabe and Ito), then by the golden angle.
const COLOURS: Triple[] = [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [204, 121, 167], [213, 94, 0], [0, 114, 178], [153, 221, 85]];

export function colourOf(index: number): Triple {
  const kept = COLOURS[index];
  if (kept) return kept;
  const hue = (index * 137.508) % 360, light = 0.5 + 0.12 * ((index % 3) - 1);
  const part = (n: number): number => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (light - 0.65 * Math.min(light, 1 - light) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}

export const css = (colour: Triple): string => `rgb(${colour.join(' ')})`;

let made = 0;

/** Makes labels for a series; what has no name in `segments` is named by its value. */
export function makeLabels(name: string, voxels: LabelVoxels, segments: Pick<Segment, 'value' | 'name' | 'volume_ml'>[], series: LoadedSeries): LabelSet {
  const used = new Set<number>();
  for (const value of voxels.values) if (value !== 0) used.add(value);
  const named = new Map(segments.map((segment) => [segment.value, segment]));
  const values = [...new Set([...used, ...named.keys()])].sort((a, b) => a - b);
  made += 1;
  const set: LabelSet = {
    id: `labels-${made}`, name, opacity: 0.4, isVisible: true, voxels, volumeId: null, series_uid: series.series_uid, frameOfReference: series.frameOfReference, isPlaced: series.isPlaced && voxels.frames === 1 && !voxels.isFlat,
    segments: values.map((value, index) => ({
      value, name: named.get(value)?.name ?? String(value), colour: colourOf(index), isVisible: true, volume_ml: named.get(value)?.volume_ml,
    })),
  };
  if (series.isVolume && voxels.frames === 1) set.volumeId = makeVolume(set, series);
  return set;
}

function makeVolume(set: LabelSet, series: LoadedSeries): string {
  const { voxels } = set, volumeId = `${set.id}-volume`;
  const volume = volumeLoader.createLocalVolume(volumeId, {
    dimensions: voxels.size, spacing: voxels.spacing_mm, origin: voxels.origin_mm, direction: voxels.axes.flat() as Types.Mat3, scalarData: voxels.values,
    metadata: { FrameOfReferenceUID: series.frameOfReference } as Types.Metadata,
  });
  volume.modified();           // else the texture is never filled
  return volumeId;
}

/** A plane is drawn as a slab this thick; an opacity over this way through it is what shows. */
export const SLAB_MM = 0.1;

/** Colours and opacity of a label volume in a view. */
export function paintVolume(actor: Types.VolumeActor, set: LabelSet): void {
  const property = actor.getProperty();
  const colours = property.getRGBTransferFunction(0), opacity = property.getScalarOpacity(0);
  const last = Math.max(1, ...set.segments.map((segment) => segment.value));
  colours.removeAllPoints();
  opacity.removeAllPoints();
  colours.addRGBPoint(0, 0, 0, 0);
  opacity.addPoint(0, 0);
  for (const { value, colour, isVisible } of set.segments) {
    colours.addRGBPoint(value, colour[0] / 255, colour[1] / 255, colour[2] / 255);
    opacity.addPointLong(value, set.isVisible && isVisible ? set.opacity : 0, 0.5, 1);
  }
  colours.setMappingRange(0, last);
  property.setInterpolationTypeToNearest();
  property.setScalarOpacityUnitDistance(0, SLAB_MM);
}

/** The middle of a segment's voxels in mm (and the slice of a cine, where it is one). */
export function centreOf(set: LabelSet, value: number): { centre_mm: Triple; frame: number } | undefined {
  const { size, values, spacing_mm, origin_mm, axes } = set.voxels;
  let count = 0;
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < values.length; i += 1) {
    if (values[i] !== value) continue;
    count += 1;
    sum[0] += i % size[0];
    sum[1] += Math.floor(i / size[0]) % size[1];
    sum[2] += Math.floor(i / (size[0] * size[1]));
  }
  if (count === 0) return undefined;
  const index = sum.map((total) => total / count);
  const centre_mm = [0, 1, 2].map((row) => origin_mm[row]! + axes.reduce((at, axis, a) => at + axis[row]! * index[a]! * spacing_mm[a]!, 0)) as Triple;
  return { centre_mm, frame: Math.round(index[2]!) };
}

/** A colour for each value, as the four bytes of a pixel; 0 where nothing is drawn. */
function paletteOf(set: LabelSet): Uint32Array {
  const palette = new Uint32Array(1 + Math.max(0, ...set.segments.map((segment) => segment.value)));
  const bytes = new Uint8Array(palette.buffer);
  for (const { value, colour, isVisible } of set.segments) if (isVisible && value > 0) bytes.set([...colour, Math.round(255 * set.opacity)], 4 * value);
  return palette;
}

/** The picture of labels of one frame, as RGBA. */
export function pictureOf(set: LabelSet, frame: number, plane: Plane | undefined, columns: number, rows: number): ImageData | undefined {
  if (set.volumeId || !set.isVisible) return undefined;
  if (set.isPlaced) return plane && cutOf(set, plane, columns, rows);
  const { size, values } = set.voxels, pixels = size[0] * size[1];
  if ((frame + 1) * pixels > values.length) return undefined;
  const picture = new ImageData(size[0], size[1]), out = new Uint32Array(picture.data.buffer), palette = paletteOf(set);
  for (let i = 0; i < pixels; i += 1) out[i] = palette[values[frame * pixels + i]!] ?? 0;
  return picture;
}

/** The labels in the plane of a frame: of each pixel the voxel in which its middle lies. */
function cutOf(set: LabelSet, plane: Plane, columns: number, rows: number): ImageData {
  const { size, values, spacing_mm, origin_mm, axes } = set.voxels;
  const picture = new ImageData(columns, rows), out = new Uint32Array(picture.data.buffer), palette = paletteOf(set);
  const toIndex = (v: readonly number[], scale: number): number[] => axes.map((axis, a) => dot(v, axis) * scale / spacing_mm[a]!);
  const start = toIndex(plane.position_mm.map((p, axis) => p - origin_mm[axis]!), 1);
  const right = toIndex(plane.row, plane.spacing_mm[1]), down = toIndex(plane.column, plane.spacing_mm[0]);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      const i = Math.round(start[0]! + x * right[0]! + y * down[0]!), j = Math.round(start[1]! + x * right[1]! + y * down[1]!), k = Math.round(start[2]! + x * right[2]! + y * down[2]!);
      if (i < 0 || j < 0 || k < 0 || i >= size[0] || j >= size[1] || k >= size[2]) continue;
      out[y * columns + x] = palette[values[(k * size[1] + j) * size[0] + i]!] ?? 0;
    }
  }
  return picture;
}
