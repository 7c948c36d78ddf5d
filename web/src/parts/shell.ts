import { api } from '../api/client';
import { onLink } from '../api/live';
import { h } from '../lib/dom';
import { currentLanguage, setLanguage, t, type TextKey } from '../lib/i18n';
import { applyTheme, chosenTheme, type Language, type Theme } from '../lib/settings';

export interface Shell { element: HTMLElement; main: HTMLElement; mark: (name: string) => void }

const PLACES: { name: string; address: string; text: TextKey }[] = [
  { name: '', address: '/', text: 'nav.worklist' }, { name: 'tasks', address: '/tasks', text: 'nav.tasks' },
  { name: 'jobs', address: '/jobs', text: 'nav.jobs' }, { name: 'settings', address: '/settings', text: 'nav.settings' },
];
// Pages without an entry of their own belong to one that has.
const BELONGS: Record<string, string> = { study: '', report: '', task: 'tasks' };

/** What stands around every page: places, language, colours, the link to the server, and the line that is always there. */
export function makeShell(rebuild: () => void): Shell {
  const links = PLACES.map(({ address, text }) => h('a', { href: address }, t(text)));
  const main = h('main', { id: 'main', tabindex: -1 });
  const link = h('span', { class: 'link-state', role: 'status' });
  const version = h('span', { class: 'version' });
  onLink((up) => {
    link.dataset['up'] = String(up);
    link.textContent = up ? t('link.up') : t('link.down');
  });
  api.health().then((health) => { version.textContent = `Pentascope ${health.version}`; }, () => undefined);
  const element = h('div', { class: 'shell' },
    h('a', { class: 'skip', href: '#main', onclick: (event) => { event.preventDefault(); main.focus(); } }, t('nav.skip')),
    h('header', { class: 'topbar' },
      h('a', { class: 'brand', href: '/' }, h('img', { src: '/icon.svg', alt: '', width: 24, height: 24 }), 'Pentascope'),
      h('nav', { 'aria-label': t('nav.name') }, links),
      h('div', { class: 'topbar-right' }, link, themeSelect(), languageSelect(rebuild))),
    main,
    h('footer', { class: 'footbar' }, h('strong', { class: 'research-use' }, t('research_use')), version));
  const mark = (name: string): void => links.forEach((one, index) => {
    const isHere = PLACES[index]!.name === (BELONGS[name] ?? name);
    if (isHere) one.setAttribute('aria-current', 'page');
    else one.removeAttribute('aria-current');
  });
  return { element, main, mark };
}

function themeSelect(): HTMLElement {
  const themes: [Theme, TextKey][] = [['system', 'theme.system'], ['light', 'theme.light'], ['dark', 'theme.dark']];
  return h('select', { 'aria-label': t('theme.name'), onchange: (event) => applyTheme((event.target as HTMLSelectElement).value as Theme) },
    themes.map(([theme, text]) => h('option', { value: theme, selected: theme === chosenTheme() }, t(text))));
}

function languageSelect(rebuild: () => void): HTMLElement {
  const languages: [Language, string][] = [['en', 'English'], ['zh', '中文']];
  return h('select', { 'aria-label': 'Language / 语言', onchange: (event) => { setLanguage((event.target as HTMLSelectElement).value as Language); rebuild(); } },
    languages.map(([language, text]) => h('option', { value: language, selected: language === currentLanguage() }, text)));
}
