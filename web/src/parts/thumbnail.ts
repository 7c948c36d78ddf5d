import { h } from '../lib/dom';

/** A small picture of a series; where the server has none, the place stays empty. */
export function thumbnail(address: string): HTMLElement {
  const picture = h('img', { class: 'thumb', src: address, alt: '', width: 56, height: 56, loading: 'lazy' });
  picture.addEventListener('error', () => picture.classList.add('none'));
  return picture;
}
