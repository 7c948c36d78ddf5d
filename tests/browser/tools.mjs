// What the cases measure with: pixels of the screen, axe, and the truth from the files themselves (DICOMweb, no code of the page).
import { readFileSync } from 'node:fs';
import { AXE } from './browser.mjs';

export function truth(is, what) {
  if (!is) throw new Error(what);
}

/** axe: no fault that is serious or critical. */
export async function axe(page, where) {
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const grave = found.violations.filter((one) => ['serious', 'critical'].includes(one.impact));
  truth(grave.length === 0, `axe, ${where}: ${grave.map((one) => `${one.id} (${one.impact}): ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`).join('\n')}`);
}

/** The share of a view's pixels that are not black: what is drawn, read from the screen. */
export async function lit(page, selector) {
  // The views are made anew when the layout changes: then there is no picture yet.
  const shot = await page.locator(selector).first().screenshot({ timeout: 5000 }).catch(() => null);
  if (!shot) return 0;
  return page.evaluate(async (png) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(png), (c) => c.charCodeAt(0))], { type: 'image/png' }));
    const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    pen.drawImage(bitmap, 0, 0);
    const { data } = pen.getImageData(0, 0, bitmap.width, bitmap.height);
    let bright = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] + data[i + 1] + data[i + 2] > 90) bright += 1;
    return bright / (data.length / 4);
  }, shot.toString('base64'));
}

/** The pixels of a view: {width, height, data (RGBA)}. What is written over it (`plain`) is left out of the picture. */
export async function pixels(page, selector, plain = true) {
  if (plain) await page.evaluate(() => document.querySelectorAll('.overlay .corner, .overlay .letter, .overlay-drawing').forEach((one) => { one.style.visibility = 'hidden'; }));
  const shot = await page.locator(selector).first().screenshot();
  const { width, height, text } = await page.evaluate(async (png) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(png), (c) => c.charCodeAt(0))], { type: 'image/png' }));
    const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    pen.drawImage(bitmap, 0, 0);
    const { data } = pen.getImageData(0, 0, bitmap.width, bitmap.height);
    let text = '';
    for (let at = 0; at < data.length; at += 30000) text += btoa(String.fromCharCode(...data.subarray(at, at + 30000)));
    return { width: bitmap.width, height: bitmap.height, text };
  }, shot.toString('base64'));
  return { width, height, data: Buffer.from(text, 'base64') };
}

/** Where two pictures differ: share of pixels, and middle and number of them. */
export function difference(a, b, least = 12) {
  let count = 0, x = 0, y = 0;
  for (let i = 0; i < a.width * a.height; i += 1) {
    const by = [0, 1, 2].reduce((sum, c) => sum + Math.abs(a.data[4 * i + c] - b.data[4 * i + c]), 0);
    if (by < least) continue;
    count += 1;
    x += i % a.width;
    y += Math.floor(i / a.width);
  }
  return { share: count / (a.width * a.height), count, x: x / count, y: y / count };
}

export async function json(address, accept = 'application/json') {
  const answer = await fetch(address, { headers: { Accept: accept } });
  if (!answer.ok) throw new Error(`${address}: HTTP ${answer.status}`);
  return answer.json();
}

export const seriesAddress = (site, study, series) => `${site.address}/dicomweb/studies/${study}/series/${series}`;
export const metadata = (site, study, series) => json(`${seriesAddress(site, study, series)}/metadata`, 'application/dicom+json');
export const numbers = (object, tag) => (object?.[tag]?.Value ?? []).map(Number);

/** The bytes of one frame. */
export async function frameBytes(address, frame) {
  const answer = await fetch(`${address}/frames/${frame}`, { headers: { Accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1' } });
  const all = Buffer.from(await answer.arrayBuffer()), boundary = /boundary="?([^";]+)"?/.exec(answer.headers.get('content-type'))[1];
  const begin = all.indexOf('\r\n\r\n') + 4;
  return all.subarray(begin, all.indexOf(`\r\n--${boundary}`, begin));
}

/** Opens another place of the page without loading it anew. */
export const goTo = (page, path) => page.evaluate((address) => { history.pushState(null, '', address); dispatchEvent(new PopStateEvent('popstate')); }, path);

export async function single(page) {
  await page.locator('.toolbar button', { hasText: 'Single' }).click();
  await until(async () => (await page.locator('.view').count()) === 1, 'one view');
  await until(async () => (await lit(page, '.view')) > 0.03, 'an image in it');
}

export async function until(check, what, limit_ms = 30000) {
  const end = Date.now() + limit_ms;
  for (;;) {
    if (await check()) return;
    if (Date.now() > end) throw new Error(`not within ${limit_ms / 1000} s: ${what}`);
    await new Promise((done) => setTimeout(done, 150));
  }
}

export const sliceText = (page) => page.locator('.view .slice').first().textContent();

export async function openStudy(page, site, uid) {
  await page.goto(`${site.address}/study/${uid}`);
  await page.waitForSelector('.view canvas');
  await until(async () => (await lit(page, '.view')) > 0.03, 'an image is seen');
}

