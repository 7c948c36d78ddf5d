/** In place of xmlbuilder2: only VTK's reader and writer of XML files ask for it, and the page reads none. */
export function create(): never {
  throw new Error('the page reads no VTK XML files');
}
