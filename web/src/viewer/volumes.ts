import { cache, volumeLoader, type RenderingEngine, type StackViewport, type Types, type VolumeViewport } from '@cornerstonejs/core';
import { dot } from './geometry';
import { paintVolume, SLAB_MM, type LabelSet } from './labels';
import type { LoadedSeries } from './series';
import { handHeaders, HOT } from './setup';
import { firstWindow, windowOfValues, type Window } from './windows';

export interface Fusion { series: LoadedSeries; opacity: number; window: Window | undefined }

export const volumeIdOf = (series: LoadedSeries): string => `cornerstoneStreamingImageVolume:${series.series_uid}`;

/** The volume of a series; its slices stream in, and `onLoaded` is called once they are there. */
export async function volumeOf(series: LoadedSeries, onLoaded: () => void = () => undefined): Promise<string> {
  const volumeId = volumeIdOf(series);
  handHeaders(series);
  const volume = await volumeLoader.createAndCacheVolume(volumeId, { imageIds: series.imageIds });
  if ('load' in volume && typeof volume.load === 'function') volume.load(onLoaded);
  return volumeId;
}

export function valuesWindow(volumeId: string): Window | undefined {
  const volume = cache.getVolume(volumeId);
  return volume ? windowOfValues(volume.voxelManager?.getCompleteScalarDataArray?.() ?? []) : undefined;
}

export async function fusionOver(viewport: VolumeViewport, fusion: Fusion): Promise<void> {
  const volumeId = await volumeOf(fusion.series);
  await viewport.addVolumes([{ volumeId, visibility: true, callback: ({ volumeActor }) => volumeActor.getProperty().setScalarOpacityUnitDistance(0, SLAB_MM) }]);
  paintFusion(viewport, fusion);
}

export function paintFusion(viewport: VolumeViewport, fusion: Fusion): void {
  const volumeId = volumeIdOf(fusion.series);
  if (!viewport.hasVolumeId(volumeId)) return;
  const window = fusion.window ?? firstWindow(fusion.series) ?? valuesWindow(volumeId), upper = window?.upper ?? 1;
  viewport.setProperties({ ...(window ? { voiRange: window } : {}),
    colormap: { name: HOT, opacity: [{ value: 0, opacity: 0 }, { value: 0.15 * upper, opacity: fusion.opacity * 0.8 }, { value: upper, opacity: fusion.opacity }] } }, volumeId);
}

export async function addLabels(viewport: VolumeViewport, set: LabelSet): Promise<void> {
  if (!set.volumeId) return;
  await viewport.addVolumes([{ volumeId: set.volumeId, actorUID: set.id, visibility: true, callback: ({ volumeActor }) => paintVolume(volumeActor, set) }]);
}

/** After a change of size: what was fitted fits again, what was moved or zoomed stays so, every view on its slice. */
export function resizeFitted(engine: RenderingEngine, viewports: (StackViewport | VolumeViewport)[]): void {
  const kept = viewports.map((viewport) => ({ viewport, zoom: viewport.getZoom(), pan: viewport.getPan(), focus: viewport.getCamera().focalPoint }));
  engine.resize(true, false);
  for (const { viewport, zoom, pan, focus } of kept) {
    const { focalPoint, position, viewPlaneNormal } = viewport.getCamera();
    if (focus && focalPoint && position && viewPlaneNormal) {
      const way = dot(focus, viewPlaneNormal) - dot(focalPoint, viewPlaneNormal);
      const moved = (point: Types.Point3): Types.Point3 => [point[0] + way * viewPlaneNormal[0], point[1] + way * viewPlaneNormal[1], point[2] + way * viewPlaneNormal[2]];
      if (Math.abs(way) > 1e-6) viewport.setCamera({ focalPoint: moved(focalPoint), position: moved(position) });
    }
    if (Math.abs(zoom - 1) > 1e-3) viewport.setZoom(zoom);
    if (Math.hypot(...pan) > 0.5) viewport.setPan(pan);
  }
  engine.renderViewports(viewports.map((viewport) => viewport.id));
}
