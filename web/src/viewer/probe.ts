import { cache, utilities, VolumeViewport, type StackViewport, type Types } from '@cornerstonejs/core';
import { formatNumber } from '../lib/i18n';
import type { LoadedSeries } from './series';
import { volumeIdOf } from './volumes';

type Point3 = Types.Point3;

function inVolume(series: LoadedSeries, point_mm: Point3): number | undefined {
  const volume = cache.getVolume(volumeIdOf(series));
  if (!volume?.imageData) return undefined;
  const [i, j, k] = volume.imageData.worldToIndex(point_mm).map(Math.round) as Point3, [columns, rows, slices] = volume.dimensions;
  if (i < 0 || j < 0 || k < 0 || i >= columns || j >= rows || k >= slices) return undefined;
  return Number(volume.voxelManager?.getAtIJK(i, j, k));
}

function inFrame(viewport: StackViewport, point_mm: Point3): number | undefined {
  const imageId = viewport.getCurrentImageId(), image = viewport.getCornerstoneImage();
  const at = imageId && image ? utilities.worldToImageCoords(imageId, point_mm) : undefined;
  if (!at || !image) return undefined;
  const x = Math.round(at[0]), y = Math.round(at[1]);
  return x < 0 || y < 0 || x >= image.columns || y >= image.rows ? undefined : Number(image.getPixelData()[y * image.columns + x]);
}

/** The value of an image at a point of a view, with its unit; empty outside it and for colour. */
export function valueAt(viewport: StackViewport | VolumeViewport, series: LoadedSeries, point_mm: Point3): string {
  if (series.isColour) return '';
  const value = viewport instanceof VolumeViewport ? inVolume(series, point_mm) : inFrame(viewport, point_mm);
  return value === undefined || !Number.isFinite(value) ? '' : `${formatNumber(value)} ${series.unit}`.trim();
}
