import en from '../texts/en.json';
import zh from '../texts/zh.json';
import { chosenLanguage, keep, type Language } from './settings';

export type TextKey = keyof typeof en;
// A key that one file lacks is an error when compiling.
const CATALOGUES: Record<Language, Record<TextKey, string>> = { en, zh };

let language: Language = chosenLanguage();

export function currentLanguage(): Language { return language; }

export function setLanguage(next: Language): void {
  language = next;
  keep('language', next);
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
}

/** The text of a key; {name} is replaced by values.name. */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  return CATALOGUES[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text of a key made at run time (a state, a task), or the fallback. */
export function tOr(key: string, fallback: string): string {
  return key in CATALOGUES[language] ? t(key as TextKey) : fallback;
}

const locale = (): string => (language === 'zh' ? 'zh-CN' : 'en-GB');

export function formatNumber(value: number, digits = 4): string {
  return new Intl.NumberFormat(locale(), { maximumSignificantDigits: digits, useGrouping: Math.abs(value) >= 10000 }).format(value);
}

export function formatWhen(ms: number | null | undefined): string {
  if (!ms) return '';
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'short', timeStyle: 'short' }).format(new Date(ms));
}

/** DICOM DA 20240131 to 2024-01-31: the one order that nobody misreads. */
export function formatDate(da: string | undefined): string {
  const digits = (da ?? '').replace(/\D/g, '');
  return digits.length === 8 ? `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}` : (da ?? '');
}

/** DICOM PN Family^Given to 'Family, Given'. */
export function formatName(pn: string | undefined): string {
  const [family = '', given = ''] = (pn ?? '').split('=')[0]?.split('^') ?? [];
  return [family, given].filter(Boolean).join(', ');
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  let size = bytes, unit = 0;
  while (size >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
  return `${formatNumber(size, 3)} ${units[unit]}`;
}
