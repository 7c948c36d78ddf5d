import { itemOf, itemsOf, numberOf, textOf, type DicomObject } from './dicomjson';
import { dot, planeOf, type Plane, type Triple } from './geometry';
import type { LabelVoxels } from './nifti';
import { seriesAddress } from './series';

export interface SegSegment { value: number; name: string }
export interface SegLayer { voxels: LabelVoxels; segments: SegSegment[] }
/** Segments that share a voxel are in different layers. */
export interface SegObject { name: string; layers: SegLayer[] }

/** The bodies of a multipart answer. */
export function partsOf(bytes: Uint8Array, contentType: string): Uint8Array[] {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (!boundary) return [bytes];
  const mark = new TextEncoder().encode(`--${boundary}`);
  const parts: Uint8Array[] = [];
  let at = find(bytes, mark, 0);
  while (at >= 0) {
    const next = find(bytes, mark, at + mark.length);
    if (next < 0) break;
    const body = find(bytes, new Uint8Array([13, 10, 13, 10]), at);
    if (body >= 0 && body < next) parts.push(bytes.subarray(body + 4, next - 2));
    at = next;
  }
  return parts;
}

function find(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(mark[0]!, from); at >= 0; at = bytes.indexOf(mark[0]!, at + 1)) {
    let same = 1;
    while (same < mark.length && bytes[at + same] === mark[same]) same += 1;
    if (same === mark.length) return at;
  }
  return -1;
}

async function framesOf(address: string, count: number): Promise<Uint8Array[]> {
  const list = Array.from({ length: count }, (_, index) => index + 1).join(',');
  const answer = await fetch(`${address}/frames/${list}`, { headers: { Accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1' } });
  if (!answer.ok) throw new Error(`frames of the segmentation: HTTP ${answer.status}`);
  return partsOf(new Uint8Array(await answer.arrayBuffer()), answer.headers.get('Content-Type') ?? '');
}

function segmentOf(object: DicomObject, frame: number): number {
  const own = itemOf(itemsOf(object, '52009230')[frame - 1], '0062000A') ?? itemOf(itemOf(object, '52009229'), '0062000A');
  return numberOf(own, '0062000B') ?? 1;
}

/** Slices to planes on one even grid: the smallest distance between two of them is its step. */
function gridOf(planes: Plane[], object: DicomObject): { first: Plane; step_mm: number; count: number; low: number } {
  const first = planes[0]!;
  const places = [...new Set(planes.map((plane) => Math.round(dot(plane.position_mm, first.normal) * 1000) / 1000))].sort((a, b) => a - b);
  const gaps = places.slice(1).map((place, index) => place - places[index]!).filter((gap) => gap > 0.01);
  const measures = itemOf(itemOf(object, '52009229'), '00289110');
  const stated = numberOf(measures, '00180088') ?? first.thickness_mm ?? 1;
  const step_mm = Math.min(...(gaps.length > 0 ? gaps : [stated]));
  const low = places[0]!, high = places[places.length - 1]!;
  return { first, step_mm, low, count: Math.round((high - low) / step_mm) + 1 };
}

type Values = Uint8Array | Uint16Array;
interface SegFrame { slice: number; segment: number; bytes: Uint8Array }

/** Calls `act` for each pixel of a frame that is set: bits packed from the lowest, or a byte a pixel. */
function eachPixel(bytes: Uint8Array, pixels: number, act: (pixel: number, value: number) => void): void {
  const packed = bytes.length < pixels;
  for (let i = 0; i < pixels; i += 1) {
    const value = packed ? (bytes[i >> 3]! >> (i & 7)) & 1 : bytes[i]!;
    if (value) act(i, value);
  }
}

/** Puts each segment into the first layer where it hides no other. */
function layersOf(frames: SegFrame[], pixels: number, make: () => Values): { values: Values; segments: Set<number> }[] {
  const layers: { values: Values; segments: Set<number> }[] = [];
  for (const segment of [...new Set(frames.map((frame) => frame.segment))].sort((a, b) => a - b)) {
    const own = frames.filter((frame) => frame.segment === segment);
    const isFree = ({ values }: { values: Values }): boolean => own.every(({ slice, bytes }) => {
      let free = true;
      eachPixel(bytes, pixels, (i) => { free &&= values[slice * pixels + i] === 0; });
      return free;
    });
    let layer = layers.find(isFree);
    if (!layer) layers.push(layer = { values: make(), segments: new Set() });
    layer.segments.add(segment);
    for (const { slice, bytes } of own) eachPixel(bytes, pixels, (i) => { layer.values[slice * pixels + i] = segment; });
  }
  return layers;
}

/** Reads a DICOM SEG of the archive. */
export async function readSeg(study: string, series: string): Promise<SegObject> {
  const base = seriesAddress(study, series);
  const answer = await fetch(`${base}/metadata`, { headers: { Accept: 'application/dicom+json' } });
  if (!answer.ok) throw new Error(`metadata of the segmentation: HTTP ${answer.status}`);
  const object = ((await answer.json()) as DicomObject[])[0];
  if (!object) throw new Error('the segmentation is empty');
  const count = numberOf(object, '00280008') ?? 1;
  const planes = Array.from({ length: count }, (_, index) => planeOf(object, index + 1)).filter((plane) => plane !== undefined);
  if (planes.length !== count) throw new Error('the segmentation does not say where its frames lie');
  const frames = await framesOf(`${base}/instances/${textOf(object, '00080018')}`, count);
  const { first, step_mm, low, count: slices } = gridOf(planes, object);
  const rows = numberOf(object, '00280010') ?? 0, columns = numberOf(object, '00280011') ?? 0, pixels = rows * columns;
  const segments = itemsOf(object, '00620002').map((item) => ({ value: numberOf(item, '00620004') ?? 0, name: textOf(item, '00620005') }));
  const make = (): Values => (segments.some((segment) => segment.value > 255) ? new Uint16Array(pixels * slices) : new Uint8Array(pixels * slices));
  const placed = planes.flatMap((plane, index): SegFrame[] => {
    const bytes = frames[index], slice = Math.round((dot(plane.position_mm, first.normal) - low) / step_mm);
    return bytes ? [{ slice, segment: segmentOf(object, index + 1), bytes }] : [];
  });
  const layers = textOf(object, '00620001') === 'LABELMAP' ? [labelmapOf(placed, pixels, make())] : layersOf(placed, pixels, make);
  const lowest = planes.reduce((a, b) => (dot(b.position_mm, first.normal) < dot(a.position_mm, first.normal) ? b : a));
  const grid = {
    size: [columns, rows, slices] as Triple, frames: 1, spacing_mm: [first.spacing_mm[1], first.spacing_mm[0], step_mm] as Triple,
    origin_mm: [...lowest.position_mm] as Triple, axes: [first.row, first.column, first.normal] as [Triple, Triple, Triple],
  };
  return {
    name: textOf(object, '0008103E') || textOf(object, '00700080') || 'SEG',
    layers: layers.map((layer) => ({ voxels: { ...grid, values: layer.values }, segments: segments.filter((one) => layer.segments?.has(one.value) ?? one.value > 0) })),
  };
}

/** A label map says each pixel's segment itself. */
function labelmapOf(frames: SegFrame[], pixels: number, values: Values): { values: Values; segments?: Set<number> } {
  for (const { slice, bytes } of frames) eachPixel(bytes, pixels, (i, value) => { values[slice * pixels + i] = value; });
  return { values };
}
