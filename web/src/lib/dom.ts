/** The page's whole "framework": makes elements. */

export type Child = Node | string | number | null | undefined | false;
type Handlers = { [K in keyof HTMLElementEventMap as `on${K}`]?: (event: HTMLElementEventMap[K]) => void };
export type Attributes = Handlers & Record<`aria-${string}` | `data-${string}`, string | number | boolean | undefined> & {
  class?: string; id?: string; role?: string; title?: string; type?: string; href?: string; for?: string; name?: string;
  value?: string | number | undefined; placeholder?: string; min?: number | string; max?: number | string; step?: number | string; tabindex?: number;
  disabled?: boolean; checked?: boolean; hidden?: boolean; selected?: boolean; open?: boolean; multiple?: boolean;
  webkitdirectory?: boolean; required?: boolean; src?: string; alt?: string; sandbox?: string; lang?: string; download?: string;
  target?: string; rel?: string; scope?: string; colspan?: number; accept?: string; width?: number; height?: number; list?: string; loading?: string;
};

function put(element: HTMLElement, name: string, value: unknown): void {
  if (value === undefined || value === null || value === false && !name.startsWith('aria-')) return;
  if (name.startsWith('on') && typeof value === 'function') {
    element.addEventListener(name.slice(2), value as EventListener);
  } else if (value === true && !name.startsWith('aria-')) {
    element.setAttribute(name, '');
  } else {
    element.setAttribute(name, String(value));
  }
}

/** h('button', {onclick}, 'Text'): text is always text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: (Child | Child[])[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) put(element, name, value);
  append(element, children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string | number> = {}, ...children: (Node | string)[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

function append(parent: Element, children: (Child | Child[])[]): void {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(typeof child === 'number' ? String(child) : child);
  }
}

/** Replaces what an element holds. */
export function fill(parent: Element, ...children: (Child | Child[])[]): void {
  parent.replaceChildren();
  append(parent, children);
}
