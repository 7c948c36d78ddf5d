// The pictures of README and docs/guide: node tests/browser/pictures.mjs ADDRESS, of a server that holds build/samples and nothing else
// (tests/browser/pictures.py starts it). Only images that we made ourselves are shown.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { openPage, ROOT, startBrowser } from './browser.mjs';
import { json, lit, openStudy, pixels, single, until } from './tools.mjs';

const FOLDER = join(ROOT, 'docs/guide/pictures');
const LARGEST_BYTES = 200e3;
const site = { address: process.argv[2] };
const { studies } = await json(`${site.address}/api/studies?limit=100`);
const studyOf = (modality) => studies.find((one) => one.patient_id.startsWith('SYN-') && one.modalities.includes(modality)).study_uid;

async function run(page, address, result) {
  await page.goto(site.address + address);
  await page.waitForSelector('.view canvas');
  await page.locator('.card-form .run').click();
  await page.locator(result).first().waitFor({ timeout: 240000 });
  await page.waitForTimeout(2500);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]), out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** A PNG of five bits a channel: noise of speckle costs most of the bytes and is not what is looked at. */
function pngOf({ width, height, data }) {
  const head = Buffer.alloc(13), rows = Buffer.alloc(height * (1 + 3 * width));
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const coarse = (value) => Math.min(255, Math.round(value / 8) * 8);
  for (let y = 0; y < height; y += 1) {
    const row = y * (1 + 3 * width);
    rows[row] = 2;           // each byte less the one above it
    for (let x = 0; x < width; x += 1) for (let c = 0; c < 3; c += 1)
      rows[row + 1 + 3 * x + c] = coarse(data[4 * (y * width + x) + c]) - (y > 0 ? coarse(data[4 * ((y - 1) * width + x) + c]) : 0);
  }
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]);
}

const PICTURES = {
  async worklist(page) {
    await page.goto(site.address);
    await page.waitForSelector('.studies tbody tr');
    await page.locator('.link-state[data-up="true"]').waitFor();
  },
  // Its result is what the viewer then lays over the CT.
  async task(page) {
    await run(page, `/task/segmentation?method=ct.tissue&study=${studyOf('CT')}`, '.legend-list li');
    await single(page);
    await page.waitForTimeout(1500);
  },
  async viewer(page) {
    await openStudy(page, site, studyOf('CT'));
    await page.locator('.legend-list li').first().waitFor();
    await page.locator('.toolbar button', { hasText: /^MPR$/ }).click();
    await until(async () => (await page.locator('.view').count()) === 3, 'three planes');
    await page.waitForTimeout(2500);
  },
  async fusion(page) {
    await openStudy(page, site, studyOf('CT'));
    await page.locator('.tool-group input[aria-label^="Opacity"]').waitFor();
    await page.waitForTimeout(3000);
    while (await page.locator('.legend-set header button').count() > 0) await page.locator('.legend-set header button').first().click();
    await until(async () => (await lit(page, '.view-mip')) > 0.1, 'the projection');
    await page.waitForTimeout(2500);
  },
  async ultrasound(page) {
    await run(page, `/task/analysis?method=us.fetal_biometry&study=${studyOf('US')}`, '.result table');
  },
};

mkdirSync(FOLDER, { recursive: true });
const browser = await startBrowser();
for (const [name, draw] of Object.entries(PICTURES)) {
  if (process.argv[3] ? process.argv[3] !== name : name === 'fusion') continue;
  const page = await openPage(browser, null, { width: 1120, height: 640 });
  await draw(page);
  await page.mouse.move(0, 0);
  const png = pngOf(await pixels(page, 'body', false));
  writeFileSync(join(FOLDER, `${name}.png`), png);
  console.log(`${name}.png ${png.length} bytes${png.length > LARGEST_BYTES ? ': TOO LARGE' : ''}`);
  await page.context().close();
}
await browser.close();
