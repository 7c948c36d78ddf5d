import { api } from '../api/client';
import type { Artifact, Finding, Measurement, Result } from '../api/types';
import { goTo } from './legend';
import { makeLabels } from './labels';
import { readNifti, type LabelVoxels } from './nifti';
import { readSeg } from './seg';
import type { Stage } from './stage';

const isLabels = (artifact: Artifact): boolean => /labelmap|labels/.test(artifact.kind) && /\.(nii(\.gz)?|png)$/.test(artifact.file);

async function readPicture(bytes: ArrayBuffer): Promise<LabelVoxels> {
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }), { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
  pen.drawImage(bitmap, 0, 0);
  const rgba = pen.getImageData(0, 0, bitmap.width, bitmap.height).data;
  const values = new Uint8Array(bitmap.width * bitmap.height);
  for (let i = 0; i < values.length; i += 1) values[i] = rgba[4 * i]!;
  return { size: [bitmap.width, bitmap.height, 1], frames: 1, spacing_mm: [1, 1, 1], origin_mm: [0, 0, 0], axes: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], values, isFlat: true };
}

/** Whether an entry of a result is about the series that is shown. */
function isOf(entry: { series_uid?: string }, stage: Stage): boolean {
  return !entry.series_uid || entry.series_uid === stage.series?.series_uid;
}

/** Lays a job's labels and findings over the images; gives the sentences of what could not be shown. */
export async function layResult(job: string, result: Result, stage: Stage): Promise<string[]> {
  const series = stage.series, problems: string[] = [];
  if (!series) return [];
  for (const set of [...stage.labels]) stage.removeLabelSet(set);
  for (const artifact of result.artifacts.filter((one) => isLabels(one) && isOf(one, stage))) {
    try {
      const bytes = await api.bytes(api.fileAddress(job, artifact.file));
      const voxels = artifact.file.endsWith('.png') ? await readPicture(bytes) : await readNifti(bytes);
      if (stage.series !== series) return problems;
      const set = makeLabels(artifact.made_by ?? result.method ?? artifact.role ?? artifact.file, voxels, artifact.segments ?? [], series);
      // What a method only needed on its way is there to be shown, but not at once.
      set.isVisible = result.task === 'report' || !result.method || !artifact.made_by || artifact.made_by === result.method;
      await stage.addLabelSet(set);
    } catch (error) {
      problems.push(`${artifact.file}: ${(error as Error).message}`);
    }
  }
  stage.setFindings(result.findings);
  return problems;
}

/** Segments that overlap come as further layers, each a set of its own. */
export async function laySeg(study: string, seg: string, stage: Stage): Promise<void> {
  const series = stage.series;
  if (!series) return;
  const object = await readSeg(study, seg);
  for (const [index, layer] of object.layers.entries()) {
    if (stage.series !== series) return;
    await stage.addLabelSet(makeLabels(index === 0 ? object.name : `${object.name} (${index + 1})`, layer.voxels, layer.segments, series));
  }
}

const norm = (text: string | null | undefined): string => (text ?? '').toLowerCase();

/** Whether a measurement has a place: its own centre, or a label of that name. */
export function placeOf(measurement: Measurement, stage: Stage): (() => void) | undefined {
  const centre = measurement.centre_mm;
  if (centre?.length === 3) return () => stage.jumpTo([centre[0]!, centre[1]!, centre[2]!]);
  for (const set of stage.labels) {
    const wanted = norm(measurement.region), side = norm(measurement.side);
    const segment = set.segments.find((one) => wanted !== '' && norm(one.name) === wanted)
      ?? set.segments.find((one) => wanted !== '' && norm(one.name).includes(wanted) && norm(one.name).includes(side))
      ?? (set.segments.length === 1 && measurement.made_by === set.name ? set.segments[0] : undefined);
    if (segment) return () => goTo(set, segment.value, stage);
  }
  return undefined;
}

export function findingPlace(finding: Finding): string {
  const mm = finding.centre_mm?.map((value) => value.toFixed(1)).join(', ');
  return mm ? `${mm} mm` : (finding.centre_px?.map((value) => value.toFixed(0)).join(', ') ?? '');
}
