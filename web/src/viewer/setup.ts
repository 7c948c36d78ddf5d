import { init as initCore, cornerstoneStreamingImageVolumeLoader, imageLoadPoolManager, imageRetrievalPoolManager, metaData, utilities, volumeLoader, Enums } from '@cornerstonejs/core';
import * as tools from '@cornerstonejs/tools';
import loader from '@cornerstonejs/dicom-image-loader';
import { numberOf } from './dicomjson';
import { knownImage, type LoadedSeries } from './series';

export const HOT = 'penta.hot';
// The server decodes: the page then needs no codec of its own for what it shows.
const PLAIN_FRAMES = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1';
const AHEAD_OF_THE_LOADER = 10000;

/** Plane and SUV as our own reader of headers has them. */
function provide(type: string, imageId: unknown): unknown {
  const image = typeof imageId === 'string' ? knownImage(imageId) : undefined;
  if (!image) return undefined;
  const { object, plane, series } = image;
  if (type === 'scalingModule' && series.suvFactor) return { suvbw: series.suvFactor };
  if (type !== 'imagePlaneModule' || !plane) return undefined;
  return {
    frameOfReferenceUID: series.frameOfReference, rows: numberOf(object, '00280010'), columns: numberOf(object, '00280011'),
    imageOrientationPatient: [...plane.row, ...plane.column], rowCosines: plane.row, columnCosines: plane.column,
    imagePositionPatient: plane.position_mm, sliceThickness: plane.thickness_mm, pixelSpacing: plane.spacing_mm,
    rowPixelSpacing: plane.spacing_mm[0], columnPixelSpacing: plane.spacing_mm[1], usingDefaultValues: false,
  };
}

// The slice that is shown first comes first, then the others.
const MIDDLE_FIRST = { retrieveOptions: {}, stages: [
  { id: 'middle', positions: [0.5], requestType: Enums.RequestType.Interaction, priority: -5 },
  { id: 'all', decimate: 1, offset: 0, requestType: Enums.RequestType.Prefetch, priority: 0 },
] };

let started: Promise<void> | null = null;

/** Starts Cornerstone once. */
export function startViewer(): Promise<void> {
  started ??= start();
  return started;
}

async function start(): Promise<void> {
  initCore();
  tools.init();
  loader.init({ maxWebWorkers: Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1)), beforeSend: () => ({ Accept: PLAIN_FRAMES }) });
  utilities.colormap.registerColormap({ Name: HOT, ColorSpace: 'RGB', RGBPoints: [0, 0, 0, 0, 0.35, 0.6, 0, 0, 0.7, 1, 0.55, 0, 1, 1, 1, 0.75] });
  utilities.imageRetrieveMetadataProvider.add('volume', MIDDLE_FIRST);
  metaData.addProvider(provide, AHEAD_OF_THE_LOADER);
  volumeLoader.registerVolumeLoader('cornerstoneStreamingImageVolume',
    (volumeId, options) => cornerstoneStreamingImageVolumeLoader(volumeId, options as { imageIds: string[] }));
  for (const pool of [imageLoadPoolManager, imageRetrievalPoolManager]) pool.setMaxSimultaneousRequests(Enums.RequestType.Prefetch, 12);
  for (const tool of [tools.WindowLevelTool, tools.PanTool, tools.ZoomTool, tools.StackScrollTool, tools.LengthTool]) tools.addTool(tool);
}

const handed = new Set<string>();

/** Gives the loader the headers of a series. */
export function handHeaders(series: LoadedSeries): void {
  if (handed.has(series.series_uid)) return;
  handed.add(series.series_uid);
  for (const imageId of series.imageIds) {
    const image = knownImage(imageId);
    if (image) loader.wadors.metaDataManager.add(imageId, image.object as never);
  }
}
