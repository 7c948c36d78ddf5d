// Drawn images for the mock server: a trunk as CT, the same as PET with two hot spots, an ultrasound cine.
const N = 128;

function header({ study, series, sop, modality, number, description, rows, columns, instance, extra }) {
  const element = (vr, ...Value) => ({ vr, Value });
  return {
    '00080005': element('CS', 'ISO_IR 192'), '00080016': element('UI', '1.2.840.10008.5.1.4.1.1.7'), '00080018': element('UI', sop), '00080020': element('DA', '20240131'),
    '00080030': element('TM', '101500'), '00080021': element('DA', '20240131'), '00080031': element('TM', '101500'), '00080060': element('CS', modality),
    '0008103E': element('LO', description), '00100010': { vr: 'PN', Value: [{ Alphabetic: study.patient_name }] }, '00100020': element('LO', study.patient_id),
    '0020000D': element('UI', study.study_uid), '0020000E': element('UI', series), '00200011': element('IS', number), '00200013': element('IS', instance),
    '00280002': element('US', 1), '00280004': element('CS', 'MONOCHROME2'), '00280010': element('US', rows), '00280011': element('US', columns),
    '00280100': element('US', 16), '00280101': element('US', 16), '00280102': element('US', 15), '00280103': element('US', 1), ...extra(element),
  };
}

const inside = (x, y, cx, cy, rx, ry) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1;

function trunkHu(x, y, z) {
  if (!inside(x, y, 64, 66, 52, 38)) return -1000;
  if (inside(x, y, 64, 88, 7, 7)) return 350;
  const lung = z > 24;
  if (lung && (inside(x, y, 38, 60, 17, 24) || inside(x, y, 90, 60, 17, 24))) {
    return (x - 40) ** 2 + (y - 55) ** 2 + ((z - 40) * 1.6) ** 2 < 36 ? 40 : -850;
  }
  if (!lung && inside(x, y, 44, 58, 25, 22)) return 110;
  return inside(x, y, 64, 66, 46, 32) ? 45 : -90;
}

function trunkBq(x, y, z) {
  const body = inside(x, y, 64, 66, 52, 38) ? 3000 : 50;
  const spot = (cx, cy, cz, r) => ((x - cx) ** 2 + (y - cy) ** 2 + ((z - cz) * 1.6) ** 2 < r * r ? 30000 : 0);
  return body + spot(40, 55, 40, 6) + spot(80, 70, 14, 5);
}

function slice(z, value, scale) {
  const pixels = new Int16Array(N * N);
  for (let y = 0; y < N; y += 1) for (let x = 0; x < N; x += 1) pixels[y * N + x] = value(x, y, z) / scale + 8 * Math.sin(x * 12.9898 + y * 78.233 + z * 3.7);
  return Buffer.from(pixels.buffer);
}

export function volumeSeries(study, { uid, modality, number, description, count = 60, value, scale = 1, extra = () => ({}) }) {
  const instances = Array.from({ length: count }, (_, z) => ({ sop: `${uid}.${z + 1}`, frames: [() => slice(z, value, scale)], header: header({
    study, series: uid, sop: `${uid}.${z + 1}`, modality, number, description, rows: N, columns: N, instance: z + 1,
    extra: (element) => ({
      '00200032': element('DS', -192, -192, z * 5), '00200037': element('DS', 1, 0, 0, 0, 1, 0), '00200052': element('UI', `${study.study_uid}.9`),
      '00180050': element('DS', 5), '00280030': element('DS', 3, 3), '00281052': element('DS', 0), '00281053': element('DS', scale), ...extra(element),
    }) }) }));
  return { uid, modality, number, description, rows: N, columns: N, instances };
}

export const ctOf = (study) => volumeSeries(study, { uid: `${study.study_uid}.1`, modality: 'CT', number: 1, description: 'SYNTHETIC trunk', value: trunkHu,
  extra: (element) => ({ '00281050': element('DS', 40), '00281051': element('DS', 400), '0008001C': element('CS', 'YES') }) });

export const petOf = (study) => volumeSeries(study, { uid: `${study.study_uid}.2`, modality: 'PT', number: 2, description: 'SYNTHETIC FDG', value: trunkBq, scale: 2,
  extra: (element) => ({ '00541001': element('CS', 'BQML'), '00541102': element('CS', 'START'), '00101030': element('DS', 70), '0008001C': element('CS', 'YES'),
    '00540016': { vr: 'SQ', Value: [{ '00181074': element('DS', 3e8), '00181075': element('DS', 6586.2), '00181072': element('TM', '091500') }] } }) });

/** A cine of a beating ring. */
export function cineOf(study) {
  const uid = `${study.study_uid}.1`, frames = 24, rows = 120, columns = 160;
  const frame = (f) => () => {
    const radius = 30 + 8 * Math.sin((2 * Math.PI * f) / frames);
    const pixels = Buffer.alloc(rows * columns);
    for (let y = 0; y < rows; y += 1) for (let x = 0; x < columns; x += 1) {
      const d = Math.hypot(x - 80, y - 62);
      const fan = y > 6 && Math.abs(x - 80) < 8 + y * 0.62;
      pixels[y * columns + x] = fan ? (Math.abs(d - radius) < 5 ? 190 : d < radius ? 18 : 70) + 20 * Math.sin(x * 12.9 + y * 78.2 + f) : 0;
    }
    return pixels;
  };
  const head = header({ study, series: uid, sop: `${uid}.1`, modality: 'US', number: 1, description: 'Four chambers', rows, columns, instance: 1, extra: (element) => ({
    '00280008': element('IS', frames), '00181063': element('DS', 40), '00280100': element('US', 8), '00280101': element('US', 8), '00280102': element('US', 7), '00280103': element('US', 0) }) });
  return { uid, modality: 'US', number: 1, description: 'Four chambers', rows, columns, instances: [{ sop: `${uid}.1`, header: head, frames: Array.from({ length: frames }, (_, f) => frame(f)) }] };
}

/** Labels of the CT as NIfTI: 1 = body, 2 = the nodule. */
export function labelsNifti(count = 60) {
  const data = Buffer.alloc(352 + N * N * count);
  data.writeInt32LE(348, 0);
  [3, N, N, count, 1, 1, 1, 1].forEach((size, axis) => data.writeInt16LE(size, 40 + 2 * axis));
  data.writeInt16LE(2, 70);
  data.writeInt16LE(8, 72);
  [1, 3, 3, 5].forEach((step, axis) => data.writeFloatLE(step, 76 + 4 * axis));
  data.writeFloatLE(352, 108);
  data.writeInt16LE(1, 254);
  // LPS to RAS: x and y turn.
  [[-3, 0, 0, 192], [0, -3, 0, 192], [0, 0, 5, 0]].flat().forEach((value, index) => data.writeFloatLE(value, 280 + 4 * index));
  data.write('n+1\0', 344, 'latin1');
  for (let z = 0; z < count; z += 1) for (let y = 0; y < N; y += 1) for (let x = 0; x < N; x += 1) {
    const nodule = (x - 40) ** 2 + (y - 55) ** 2 + ((z - 40) * 1.6) ** 2 < 36;
    data[352 + (z * N + y) * N + x] = nodule ? 2 : inside(x, y, 64, 66, 52, 38) ? 1 : 0;
  }
  return data;
}
