import { Problem } from '../api/client';
import { h, type Child } from '../lib/dom';
import { t } from '../lib/i18n';

/** A fault in the server's own words. */
export function problemBox(error: unknown): HTMLElement {
  const title = error instanceof Problem ? error.title : t('problem.title');
  const text = error instanceof Error ? error.message : String(error);
  return h('div', { class: 'notice problem', role: 'alert' }, h('b', {}, title), text !== title && h('p', {}, text));
}

export function emptyBox(title: string, ...more: Child[]): HTMLElement {
  return h('div', { class: 'notice empty' }, h('b', {}, title), more);
}

/** A short message in a corner, read out by screen readers. */
export function toast(text: string): void {
  let place = document.querySelector('.toasts');
  if (!place) {
    place = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });
    document.body.append(place);
  }
  const box = h('div', { class: 'toast' }, text);
  place.append(box);
  setTimeout(() => box.remove(), 5000);
}

/** Runs what a button asks for; a fault becomes a message. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
