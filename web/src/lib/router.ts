/** Addresses of the page: /, /study/UID, /tasks, /task/TASK?method=METHOD, /jobs, /job/ID, /report?study=UID, /settings. */

export interface Place { readonly path: readonly string[]; readonly query: URLSearchParams }
/** Draws itself into `main`; what it returns is called when the person leaves. */
export type Page = (main: HTMLElement, place: Place) => void | (() => void) | Promise<void | (() => void)>;

export function placeNow(): Place {
  return { path: location.pathname.split('/').filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(location.search) };
}

export function go(address: string): void {
  history.pushState(null, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** Replaces the query without drawing the page again, so that a reload comes back to the same view. */
export function rememberQuery(values: Record<string, string | null>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, '', location.pathname + (text ? `?${text}` : ''));
}

/** Ordinary links stay inside the page. */
export function catchLinks(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
