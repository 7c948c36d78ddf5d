import { cross, dot, type Triple } from './geometry';

/** The voxels of a NIfTI label map, turned to a right-handed LPS grid. */
export interface LabelVoxels {
  size: Triple; frames: number; spacing_mm: Triple; origin_mm: Triple; axes: [Triple, Triple, Triple]; values: Uint8Array | Uint16Array;
  /** A picture: it lies nowhere in a patient. */
  isFlat?: boolean;
}

/** The members of a gzip file: a browser unpacks one only. Ours say their size (subfield "PS"); another file is taken as one. */
function membersOf(bytes: ArrayBuffer): ArrayBuffer[] {
  const view = new DataView(bytes), members: ArrayBuffer[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const isOurs = at + 20 <= bytes.byteLength && view.getUint32(at) === 0x1f8b0804 && view.getUint16(at + 12) === 0x5053;
    const size = isOurs ? view.getUint32(at + 16, true) : bytes.byteLength - at;
    if (size < 1) break;
    members.push(bytes.slice(at, at + size));
    at += size;
  }
  return members;
}

async function unzipped(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  const head = new Uint8Array(bytes, 0, 2);
  if (head[0] !== 0x1f || head[1] !== 0x8b) return bytes;
  const unpack = (member: ArrayBuffer): Promise<Blob> => new Response(new Blob([member]).stream().pipeThrough(new DecompressionStream('gzip'))).blob();
  return new Blob(await Promise.all(membersOf(bytes).map(unpack))).arrayBuffer();
}

/** Columns of the affine and its origin, RAS turned to LPS. */
function affineOf(view: DataView, little: boolean): { columns: [Triple, Triple, Triple]; origin_mm: Triple } {
  const f = (at: number): number => view.getFloat32(at, little);
  if (view.getInt16(254, little) > 0) {
    const row = (at: number, sign: number): number[] => [0, 4, 8, 12].map((step) => sign * f(at + step));
    const rows = [row(280, -1), row(296, -1), row(312, 1)];
    const column = (c: number): Triple => [rows[0]![c]!, rows[1]![c]!, rows[2]![c]!];
    return { columns: [column(0), column(1), column(2)], origin_mm: column(3) };
  }
  const size: Triple = [f(80), f(84), f(88)];
  if (view.getInt16(252, little) <= 0) {
    return { columns: [[-size[0], 0, 0], [0, -size[1], 0], [0, 0, size[2]]], origin_mm: [0, 0, 0] };
  }
  const b = f(256), c = f(260), d = f(264), a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d));
  const flip = f(76) < 0 ? -1 : 1;
  return {
    columns: [
      [-(a * a + b * b - c * c - d * d) * size[0], -2 * (b * c + a * d) * size[0], 2 * (b * d - a * c) * size[0]],
      [-2 * (b * c - a * d) * size[1], -(a * a + c * c - b * b - d * d) * size[1], 2 * (c * d + a * b) * size[1]],
      [-2 * (b * d + a * c) * size[2] * flip, -2 * (c * d - a * b) * size[2] * flip, (a * a + d * d - c * c - b * b) * size[2] * flip],
    ],
    origin_mm: [-f(268), -f(272), f(276)],
  };
}

function valuesOf(view: DataView, type: number, offset: number, count: number, little: boolean): Uint8Array | Uint16Array {
  const read: Record<number, [number, (at: number) => number]> = {
    2: [1, (at) => view.getUint8(at)], 256: [1, (at) => view.getInt8(at)], 4: [2, (at) => view.getInt16(at, little)],
    512: [2, (at) => view.getUint16(at, little)], 8: [4, (at) => view.getInt32(at, little)], 768: [4, (at) => view.getUint32(at, little)],
    16: [4, (at) => view.getFloat32(at, little)],
  };
  const [width, take] = read[type] ?? [0, () => 0];
  if (width === 0) throw new Error(`NIfTI data type ${type} is not a label map's`);
  if (type === 2) return new Uint8Array(view.buffer, offset, count).slice();
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i += 1) values[i] = take(offset + i * width);
  return values.every((value) => value < 256) ? Uint8Array.from(values) : values;
}

function reverseSlices(values: Uint8Array | Uint16Array, size: Triple): void {
  const slice = size[0] * size[1];
  const held = values.slice(0, slice);
  for (let low = 0, high = size[2] - 1; low < high; low += 1, high -= 1) {
    held.set(values.subarray(low * slice, (low + 1) * slice));
    values.copyWithin(low * slice, high * slice, (high + 1) * slice);
    values.set(held, high * slice);
  }
}

export async function readNifti(bytes: ArrayBuffer): Promise<LabelVoxels> {
  const view = new DataView(await unzipped(bytes));
  const little = view.getInt32(0, true) === 348;
  if (!little && view.getInt32(0, false) !== 348) throw new Error('this file is not NIfTI-1');
  const dim = (axis: number): number => Math.max(1, view.getInt16(40 + 2 * axis, little));
  const size: Triple = [dim(1), dim(2), view.getInt16(40, little) >= 3 ? dim(3) : 1];
  const frames = view.getInt16(40, little) >= 4 ? dim(4) : 1;
  const values = valuesOf(view, view.getInt16(70, little), Math.round(view.getFloat32(108, little)), size[0] * size[1] * size[2] * frames, little);
  const { columns, origin_mm } = affineOf(view, little);
  const spacing_mm = columns.map((column) => Math.hypot(...column) || 1) as Triple;
  const axes = columns.map((column, axis) => column.map((part) => part / spacing_mm[axis]!)) as [Triple, Triple, Triple];
  if (frames === 1 && dot(cross(axes[0], axes[1]), axes[2]) < 0) {
    reverseSlices(values, size);
    const last = (size[2] - 1) * spacing_mm[2];
    axes[2].forEach((part, axis) => { origin_mm[axis] = origin_mm[axis]! + part * last; });
    axes[2] = axes[2].map((part) => -part) as Triple;
  }
  return { size, frames, spacing_mm, origin_mm, axes, values };
}
