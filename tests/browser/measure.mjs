// How fast the page is: node tests/browser/measure.mjs ADDRESS STUDY, a study of one deep series. One line of JSON.
import { loadavg } from 'node:os';
import { openPage, startBrowser } from './browser.mjs';
import { lit, sliceText, until } from './tools.mjs';

const [, , address, study] = process.argv;
const browser = await startBrowser(), page = await openPage(browser, null, {});
await page.goto(address);
await page.waitForSelector(`a[href="/study/${study}"]`);
const begin = Date.now();
// Drawn means: a row of pixels in the middle differs (an empty volume is one grey); looked at in the page itself, frame by frame.
const first_ms = await page.evaluate((uid) => new Promise((done) => {
  const from = performance.now();
  document.querySelector(`a[href="/study/${uid}"]`).click();
  const pen = new OffscreenCanvas(64, 1).getContext('2d', { willReadFrequently: true });
  const look = () => {
    const canvas = document.querySelector('.view canvas');
    if (canvas?.width > 0) {
      pen.drawImage(canvas, canvas.width / 2 - 32, canvas.height / 2 + 20, 64, 1, 0, 0, 64, 1);
      const row = pen.getImageData(0, 0, 64, 1).data.filter((_, i) => i % 4 === 0);
      if (Math.max(...row) - Math.min(...row) > 30) { done(performance.now() - from); return; }
    }
    requestAnimationFrame(look);
  };
  look();
}), study);
await until(async () => (await lit(page, '.view')) > 0.03, 'an image', 60000);
await page.waitForLoadState('networkidle', { timeout: 300000 });
const loaded_ms = Date.now() - begin;
await page.locator('.view').focus();
const slices = Number((await sliceText(page)).split('/')[1]);
/** One step a frame: how long until the next slice is on the screen. */
const steps_ms = await page.evaluate((count) => new Promise((done) => {
  const times = [], view = document.querySelector('.view');
  const text = () => document.querySelector('.view .slice').textContent;
  const step = () => {
    const from = performance.now(), before = text();
    document.dispatchEvent(new KeyboardEvent('keydown', { key: times.length < count / 2 ? 'ArrowUp' : 'ArrowDown', bubbles: true }));
    const wait = () => {
      if (text() === before && performance.now() - from < 2000) { requestAnimationFrame(wait); return; }
      times.push(performance.now() - from);
      if (times.length < count) step(); else done(times);
    };
    requestAnimationFrame(wait);
  };
  view.focus();
  step();
}), 120);
steps_ms.sort((a, b) => a - b);
const at = (share) => Math.round(steps_ms[Math.floor(share * (steps_ms.length - 1))]);
console.log(JSON.stringify({ slices, first_image_ms: Math.round(first_ms), all_loaded_ms: loaded_ms, step_ms: { p50: at(0.5), p95: at(0.95), most: at(1) }, page_faults: page.faults, load_average: loadavg()[0] }));
await browser.close();
