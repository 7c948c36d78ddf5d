import { h } from '../lib/dom';

/** A small picture of a series; where the server has none, its modality. */
export function thumbnail(address: string, modality: string): HTMLElement {
  const picture = h('img', { class: 'thumb', src: address, alt: '', width: 56, height: 56, loading: 'lazy' });
  picture.addEventListener('error', () => picture.replaceWith(h('span', { class: 'thumb none' }, modality)));
  return picture;
}
