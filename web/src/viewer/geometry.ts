import { itemOf, itemsOf, numberOf, numbersOf, textsOf, type DicomObject } from './dicomjson';

export type Triple = [number, number, number];

/** Where one frame lies in the patient (LPS, mm). spacing_mm is [between rows, between columns], as in DICOM. */
export interface Plane { position_mm: Triple; row: Triple; column: Triple; normal: Triple; spacing_mm: [number, number]; thickness_mm: number | undefined }

export const dot = (a: readonly number[], b: readonly number[]): number => (a[0] ?? 0) * (b[0] ?? 0) + (a[1] ?? 0) * (b[1] ?? 0) + (a[2] ?? 0) * (b[2] ?? 0);
export const cross = (a: Triple, b: Triple): Triple => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const along = (from: Triple, direction: Triple, by: number): Triple =>
  [from[0] + direction[0] * by, from[1] + direction[1] * by, from[2] + direction[2] * by];

const triple = (numbers: number[]): Triple | undefined => (numbers.length >= 3 ? [numbers[0]!, numbers[1]!, numbers[2]!] : undefined);

/** A functional group of a frame: its own, or the shared one. */
function group(object: DicomObject, frame: number, tag: string): DicomObject | undefined {
  return itemOf(itemsOf(object, '52009230')[frame - 1], tag) ?? itemOf(itemOf(object, '52009229'), tag);
}

/** The plane of a frame (from 1), or undefined where the header gives none. */
export function planeOf(object: DicomObject, frame: number): Plane | undefined {
  const detector = itemOf(object, '00540022');
  const isTomo = textsOf(object, '00080008')[2]?.includes('TOMO') ?? false;
  const measures = group(object, frame, '00289110') ?? object;
  const orientation = [group(object, frame, '00209116'), object, isTomo ? detector : undefined].map((o) => numbersOf(o, '00200037')).find((n) => n.length === 6);
  const own = triple(numbersOf(group(object, frame, '00209113'), '00200032'));
  const first = own ?? triple(numbersOf(object, '00200032')) ?? (isTomo ? triple(numbersOf(detector, '00200032')) : undefined);
  const spacing = numbersOf(measures, '00280030');
  if (!orientation || !first || spacing.length < 2) return undefined;
  const row: Triple = [orientation[0]!, orientation[1]!, orientation[2]!], column: Triple = [orientation[3]!, orientation[4]!, orientation[5]!];
  const normal = cross(row, column);
  const thickness_mm = numberOf(measures, '00180050') ?? numberOf(object, '00180050');
  const step_mm = numberOf(object, '00180088') ?? thickness_mm ?? 1;
  const position_mm = own || frame === 1 ? first : along(first, normal, (frame - 1) * step_mm);
  return { position_mm, row, column, normal, spacing_mm: [spacing[0]!, spacing[1]!], thickness_mm };
}

/** Whether planes, sorted along their normal, are the slices of one even, upright volume. */
export function isEvenVolume(planes: (Plane | undefined)[]): boolean {
  const [first, second] = planes;
  if (planes.length < 3 || !first || !second) return false;
  const step_mm = dot(second.position_mm, first.normal) - dot(first.position_mm, first.normal);
  if (Math.abs(step_mm) < 1e-3) return false;
  return planes.every((plane, index) => {
    if (!plane || dot(plane.row, first.row) < 0.9999 || dot(plane.column, first.column) < 0.9999) return false;
    const wanted = along(first.position_mm, first.normal, index * step_mm);
    return Math.hypot(...plane.position_mm.map((p, axis) => p - wanted[axis]!)) < Math.max(0.05 * Math.abs(step_mm), 0.02) * Math.max(1, Math.sqrt(index));
  });
}

/** The middle of a frame in mm; undefined where it does not say where it lies. */
export function centreOfPlane(plane: Plane | undefined, object: DicomObject): Triple | undefined {
  if (!plane) return undefined;
  const right_mm = ((numberOf(object, '00280011') ?? 1) - 1) / 2 * plane.spacing_mm[1], down_mm = ((numberOf(object, '00280010') ?? 1) - 1) / 2 * plane.spacing_mm[0];
  return along(along(plane.position_mm, plane.row, right_mm), plane.column, down_mm);
}

/** The frame whose plane is nearest to a point. */
export function nearestPlane(planes: (Plane | undefined)[], point_mm: Triple): number {
  const distances = planes.map((plane) => (plane ? Math.abs(dot(point_mm, plane.normal) - dot(plane.position_mm, plane.normal)) : Infinity));
  return Math.max(0, distances.indexOf(Math.min(...distances)));
}

const LETTERS = [['R', 'L'], ['A', 'P'], ['F', 'H']] as const;

/** Orientation letters of a direction in LPS: the largest parts first. */
export function lettersOf(direction: readonly number[]): string {
  return [0, 1, 2]
    .map((axis) => ({ size: Math.abs(direction[axis] ?? 0), letter: LETTERS[axis]![(direction[axis] ?? 0) > 0 ? 1 : 0]! }))
    .filter((part) => part.size > 0.3)
    .sort((a, b) => b.size - a.size)
    .slice(0, 2)
    .map((part) => part.letter)
    .join('');
}
