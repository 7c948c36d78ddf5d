/** Files to the archive by STOW-RS, some at a time, so that one refused file costs one file. */

const BATCH_BYTES = 24e6;
const BATCH_FILES = 64;

export interface Progress { sentBytes: number; allBytes: number; stored: number; refused: Refusal[]; files: number }
export interface Refusal { name: string; why: string }

interface Entry { isFile: boolean; isDirectory: boolean; name: string }
interface FileEntry extends Entry { file(done: (file: File) => void, failed: (error: unknown) => void): void }
interface FolderEntry extends Entry { createReader(): { readEntries(done: (entries: Entry[]) => void, failed: (error: unknown) => void): void } }

async function filesOf(entry: Entry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((done, failed) => (entry as FileEntry).file(done, failed))];
  const reader = (entry as FolderEntry).createReader();
  const found: File[] = [];
  for (;;) {           // a reader gives at most 100 entries a call
    const some = await new Promise<Entry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return found;
    for (const child of some) found.push(...await filesOf(child));
  }
}

/** All files of a drop, folders walked through. */
export async function droppedFiles(data: DataTransfer): Promise<File[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...data.files];
  const lists = await Promise.all(entries.map((entry) => filesOf(entry as unknown as Entry)));
  return lists.flat().filter((file) => !file.name.startsWith('.') && file.name !== 'DICOMDIR');
}

function* batches(files: File[]): Generator<File[]> {
  let batch: File[] = [], bytes = 0;
  for (const file of files) {
    if (batch.length > 0 && (bytes + file.size > BATCH_BYTES || batch.length >= BATCH_FILES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.size;
  }
  if (batch.length > 0) yield batch;
}

function bodyOf(files: File[], boundary: string): Blob {
  const parts: BlobPart[] = [];
  for (const file of files) parts.push(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`, file, '\r\n');
  parts.push(`--${boundary}--\r\n`);
  return new Blob(parts);
}

interface DicomJson { [tag: string]: { Value?: unknown[] } | undefined }

/** Reads the STOW response: what was kept, and why the rest was not. */
function readAnswer(text: string, status: number, files: File[]): { stored: number; refused: Refusal[] } {
  const failed = (why: string) => ({ stored: 0, refused: files.map((file) => ({ name: file.name, why })) });
  try {
    const answer = JSON.parse(text) as DicomJson & { detail?: string; title?: string };
    if (answer.detail ?? answer.title) return failed(String(answer.detail ?? answer.title));
    const stored = answer['00081199']?.Value?.length ?? 0;
    const refused = (answer['00081198']?.Value ?? []).map((item) => refusalOf(item as DicomJson));
    return { stored, refused };
  } catch {
    return failed(`HTTP ${status}`);
  }
}

function refusalOf(item: DicomJson): Refusal {
  const text = (tag: string): string => String(item[tag]?.Value?.[0] ?? '');
  const why = text('00000902') || text('00741057') || `0x${Number(item['00081197']?.Value?.[0] ?? 0).toString(16)}`;
  return { name: text('00081155') || '?', why };
}

function send(files: File[], onBytes: (bytes: number) => void, signal: AbortSignal): Promise<{ stored: number; refused: Refusal[] }> {
  return new Promise((done) => {
    const boundary = `penta-${crypto.randomUUID()}`;
    const request = new XMLHttpRequest();           // fetch tells nothing about what was sent so far
    request.open('POST', '/dicomweb/studies');
    request.setRequestHeader('Content-Type', `multipart/related; type="application/dicom"; boundary=${boundary}`);
    request.setRequestHeader('Accept', 'application/dicom+json');
    request.upload.onprogress = (event) => onBytes(event.loaded);
    request.onload = () => done(readAnswer(request.responseText, request.status, files));
    request.onerror = () => done(readAnswer('', 0, files));
    request.onabort = () => done({ stored: 0, refused: [] });
    signal.addEventListener('abort', () => request.abort());
    request.send(bodyOf(files, boundary));
  });
}

export async function upload(files: File[], report: (progress: Progress) => void, signal: AbortSignal): Promise<Progress> {
  const progress: Progress = { sentBytes: 0, allBytes: files.reduce((sum, file) => sum + file.size, 0), stored: 0, refused: [], files: files.length };
  report(progress);
  for (const batch of batches(files)) {
    if (signal.aborted) break;
    const before = progress.sentBytes;
    const size = batch.reduce((sum, file) => sum + file.size, 0);
    const answer = await send(batch, (bytes) => {
      progress.sentBytes = before + Math.min(bytes, size);
      report(progress);
    }, signal);
    progress.sentBytes = before + size;
    progress.stored += answer.stored;
    progress.refused.push(...answer.refused);
    report(progress);
  }
  return progress;
}
