import { api } from '../api/client';
import type { AuditEvent } from '../api/types';
import { fill, h } from '../lib/dom';
import { formatWhen, t, tOr } from '../lib/i18n';
import type { Page } from '../lib/router';

const SHOWN_EVENTS = 200;

/** What the server's configuration says, and who did what. Both only to read. */
export const page: Page = async (main) => {
  const [rules, events] = await Promise.all([api.rules(), api.audit(SHOWN_EVENTS)]);
  fill(main, h('div', { class: 'page-head' }, h('h1', {}, t('settings.title'))),
    h('section', {}, h('h2', {}, t('settings.rules')), h('p', { class: 'hint' }, t('settings.rules_hint')), h('pre', { class: 'code', tabindex: 0 }, JSON.stringify(rules, null, 2))),
    h('section', {}, h('h2', {}, t('settings.keys')), keys()),
    h('section', {}, h('h2', {}, t('settings.audit')), events.length === 0 ? h('p', { class: 'hint' }, t('settings.no_events')) : audit(events)));
};

function keys(): HTMLElement {
  const rows: [string, string][] = [['W S P Z L', t('keys.tools')], ['1 – 9', t('keys.windows')], ['↑ ↓ PgUp PgDn Home End', t('keys.scroll')], [t('key.space'), t('keys.cine')], ['R, I', t('keys.reset')], [t('key.double'), t('keys.jump')]];
  return h('dl', { class: 'keys' }, rows.flatMap(([key, text]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, text)]));
}

function audit(events: AuditEvent[]): HTMLElement {
  const names = [...new Set(events.flatMap((event) => Object.keys(event)))];
  const text = (name: string, value: unknown): string => (value === null || value === undefined ? '' : /_ms$/.test(name) && typeof value === 'number' ? formatWhen(value) : typeof value === 'object' ? JSON.stringify(value) : String(value));
  return h('div', { class: 'scroll-x', tabindex: 0, role: 'group', 'aria-label': t('settings.audit') }, h('table', { class: 'audit' }, h('thead', {}, h('tr', {}, names.map((name) => h('th', { scope: 'col' }, tOr(`audit.${name}`, name.replace(/_ms$/, '')))))),
    h('tbody', {}, events.map((event) => h('tr', {}, names.map((name) => h('td', {}, text(name, event[name]))))))));
}
