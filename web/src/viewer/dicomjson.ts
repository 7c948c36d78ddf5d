/** Reading DICOM JSON (PS3.18 F): tags by number, values or nothing. */

export interface DicomElement { vr?: string; Value?: unknown[]; BulkDataURI?: string; InlineBinary?: string }
export type DicomObject = { [tag: string]: DicomElement | undefined };

export function textOf(object: DicomObject, tag: string): string {
  const value = object[tag]?.Value?.[0];
  if (typeof value === 'object' && value !== null) return String((value as { Alphabetic?: string }).Alphabetic ?? '');
  return value === undefined || value === null ? '' : String(value);
}

export function textsOf(object: DicomObject, tag: string): string[] {
  return (object[tag]?.Value ?? []).map(String);
}

export function numbersOf(object: DicomObject | undefined, tag: string): number[] {
  return (object?.[tag]?.Value ?? []).map(Number).filter(Number.isFinite);
}

export function numberOf(object: DicomObject | undefined, tag: string): number | undefined {
  return numbersOf(object, tag)[0];
}

export function itemsOf(object: DicomObject | undefined, tag: string): DicomObject[] {
  return (object?.[tag]?.Value ?? []) as DicomObject[];
}

export function itemOf(object: DicomObject | undefined, tag: string): DicomObject | undefined {
  return itemsOf(object, tag)[0];
}

/** DA and TM to seconds since 1970 (as if UTC: only differences are used). */
export function secondsOf(date: string, time: string): number | undefined {
  const day = /^(\d{4})(\d{2})(\d{2})/.exec(date), clock = /^(\d{2})(\d{2})?(\d{2})?(\.\d+)?/.exec(time);
  if (!day || !clock) return undefined;
  return Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3])) / 1000
    + Number(clock[1]) * 3600 + Number(clock[2] ?? 0) * 60 + Number(clock[3] ?? 0) + Number(clock[4] ?? 0);
}
