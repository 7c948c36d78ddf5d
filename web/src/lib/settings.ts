/** What the person at this browser chose: language, colours. Kept in the browser only. */

export type Theme = 'system' | 'light' | 'dark';
export type Language = 'en' | 'zh';

function read(key: string): string | null {
  try { return localStorage.getItem(key); } catch { return null; }
}

export function keep(key: string, value: string): void {
  try { localStorage.setItem(key, value); } catch { /* a private window keeps nothing, which is fine */ }
}

export function chosenLanguage(): Language {
  const kept = read('language');
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function chosenTheme(): Theme {
  const kept = read('theme');
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function applyTheme(theme: Theme): void {
  keep('theme', theme);
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
