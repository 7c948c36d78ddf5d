import { itemOf, itemsOf, numberOf, numbersOf, secondsOf, textOf, textsOf, type DicomObject } from './dicomjson';
import { dot, isEvenVolume, planeOf, type Plane } from './geometry';

/** One series as the viewer needs it. */
export interface LoadedSeries {
  study_uid: string; series_uid: string; modality: string; description: string;
  imageIds: string[]; planes: (Plane | undefined)[]; frameOfReference: string;
  isVolume: boolean; isPlaced: boolean; isColour: boolean; frameRate_hz: number | undefined; isSynthetic: boolean;
  unit: string; suvFactor: number | undefined; headerWindow: { lower: number; upper: number } | undefined;
  first: DicomObject;
}

interface Frame { imageId: string; object: DicomObject; frame: number; plane: Plane | undefined; instance: number }

const FLAT = new Set(['US', 'XA', 'RF', 'CR', 'DX', 'MG', 'SC', 'OT', 'ES', 'XC', 'OP', 'IVUS']);
/** Series without pixels to look at. */
export const NOT_IMAGES = ['SEG', 'SR', 'RTSTRUCT', 'PR', 'KO', 'DOC', 'RTPLAN', 'RTDOSE', 'REG'];
/** By image id, for the metadata provider. */
const known = new Map<string, { object: DicomObject; frame: number; plane: Plane | undefined; series: LoadedSeries }>();

export function knownImage(imageId: string): { object: DicomObject; frame: number; plane: Plane | undefined; series: LoadedSeries } | undefined {
  return known.get(imageId);
}

export const seriesAddress = (study: string, series: string): string => `${location.origin}/dicomweb/studies/${study}/series/${series}`;

async function metadataOf(study: string, series: string): Promise<DicomObject[]> {
  const answer = await fetch(`${seriesAddress(study, series)}/metadata`, { headers: { Accept: 'application/dicom+json' } });
  if (!answer.ok) throw new Error(`metadata of the series: HTTP ${answer.status}`);
  return (await answer.json()) as DicomObject[];
}

function framesOf(objects: DicomObject[], base: string): Frame[] {
  return objects.filter((object) => numberOf(object, '00280010')).flatMap((object) => {
    const count = numberOf(object, '00280008') ?? 1;
    return Array.from({ length: count }, (_, index) => ({
      imageId: `wadors:${base}/instances/${textOf(object, '00080018')}/frames/${index + 1}`,
      object, frame: index + 1, plane: planeOf(object, index + 1), instance: numberOf(object, '00200013') ?? 0,
    }));
  });
}

/** From the head down, as the planes of a volume are counted too. */
function inOrder(frames: Frame[], modality: string): Frame[] {
  const normal = frames[0]?.plane?.normal;
  const flat = FLAT.has(modality) || !normal || frames.some((frame) => !frame.plane);
  return [...frames].sort((a, b) => (flat ? 0 : dot(b.plane!.position_mm, normal) - dot(a.plane!.position_mm, normal))
    || a.instance - b.instance || a.frame - b.frame);
}

/** What turns Bq/mL into SUV by body weight (SUVbw), where the header tells all that is needed. */
function suvFactorOf(object: DicomObject): number | undefined {
  const dose = itemOf(object, '00540016');
  const weight_kg = numberOf(object, '00101030'), dose_bq = numberOf(dose, '00181074'), halfLife_s = numberOf(dose, '00181075');
  if (textOf(object, '00541001') !== 'BQML' || !weight_kg || !dose_bq || !halfLife_s || !dose) return undefined;
  const correction = textOf(object, '00541102');
  if (correction === 'ADMIN') return weight_kg * 1000 / dose_bq;
  const start = secondsOf(textOf(object, '00080021'), textOf(object, '00080031'));
  const injected = secondsOf(textOf(dose, '00181078').slice(0, 8) || textOf(object, '00080021'), textOf(dose, '00181078').slice(8) || textOf(dose, '00181072'));
  if (correction !== 'START' || start === undefined || injected === undefined || start < injected) return undefined;
  return weight_kg * 1000 / (dose_bq * 2 ** (-(start - injected) / halfLife_s));
}

function unitOf(object: DicomObject, modality: string, suv: number | undefined): string {
  if (modality === 'CT') return 'HU';
  if (modality !== 'PT') return textOf(object, '00281054') === 'US' ? '' : textOf(object, '00281054');
  return suv ? 'SUVbw' : ({ GML: 'SUV', BQML: 'Bq/mL', CNTS: 'counts' }[textOf(object, '00541001')] ?? textOf(object, '00541001'));
}

function windowOf(object: DicomObject): { lower: number; upper: number } | undefined {
  const voi = itemOf(itemOf(object, '52009229'), '00289132') ?? object;
  const centre = numberOf(voi, '00281050'), width = numberOf(voi, '00281051');
  return centre === undefined || !width ? undefined : { lower: centre - width / 2, upper: centre + width / 2 };
}

function rateOf(object: DicomObject): number | undefined {
  const rate = numberOf(object, '00080144') ?? numberOf(object, '00082144') ?? numberOf(object, '00180040');
  if (rate) return rate;
  const frameTime_ms = numberOf(object, '00181063') ?? numbersOf(object, '00181065')[1];
  return frameTime_ms ? 1000 / frameTime_ms : undefined;
}

function isSynthetic(object: DicomObject): boolean {
  return textOf(object, '0008001C') === 'YES' || textOf(object, '0008103E').startsWith('SYNTHETIC') || textOf(object, '00100020').startsWith('SYN-')
    || itemsOf(object, '00189004').length > 0 && textsOf(object, '00189004').includes('SYNTHETIC');
}

const loaded = new Map<string, Promise<LoadedSeries>>();

/** Reads a series' headers; the pixels come when they are shown. Headers once read are kept. */
export function loadSeries(study: string, series: string): Promise<LoadedSeries> {
  const key = `${study}/${series}`;
  const before = loaded.get(key);
  if (before) return before;
  const made = readSeries(study, series);
  loaded.set(key, made);
  made.catch(() => loaded.delete(key));
  return made;
}

async function readSeries(study: string, uid: string): Promise<LoadedSeries> {
  const objects = await metadataOf(study, uid);
  const object = objects.find((one) => numberOf(one, '00280010'));
  if (!object) throw new Error('this series has no images');
  const modality = textOf(object, '00080060');
  const frames = inOrder(framesOf(objects, seriesAddress(study, uid)), modality);
  const isColour = (numberOf(object, '00280002') ?? 1) > 1 || textOf(object, '00280004').startsWith('PALETTE');
  const sameSize = frames.every((f) => numberOf(f.object, '00280010') === numberOf(object, '00280010') && numberOf(f.object, '00280011') === numberOf(object, '00280011'));
  const suvFactor = modality === 'PT' ? suvFactorOf(object) : undefined;
  const planes = frames.map((frame) => frame.plane);
  const series: LoadedSeries = {
    study_uid: study, series_uid: uid, modality, description: textOf(object, '0008103E'), imageIds: frames.map((frame) => frame.imageId), planes,
    frameOfReference: textOf(object, '00200052') || `none.${uid}`,
    isPlaced: !FLAT.has(modality) && planes.every((plane) => plane !== undefined),
    isVolume: !isColour && !FLAT.has(modality) && sameSize && isEvenVolume(planes), isColour, frameRate_hz: rateOf(object), isSynthetic: isSynthetic(object),
    unit: unitOf(object, modality, suvFactor), suvFactor, headerWindow: windowOf(object), first: object,
  };
  for (const frame of frames) known.set(frame.imageId, { object: frame.object, frame: frame.frame, plane: frame.plane, series });
  return series;
}
