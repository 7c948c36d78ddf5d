// The pictures of README and docs/guide: node tests/browser/pictures.mjs ADDRESS, of a server that holds build/samples and nothing else
// (tests/browser/pictures.py starts it). Only images that we made ourselves are shown.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openPage, ROOT, startBrowser } from './browser.mjs';
import { json, lit, openStudy, single, until } from './tools.mjs';

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
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path });
  const bytes = statSync(path).size;
  console.log(`${name}.png ${bytes} bytes${bytes > LARGEST_BYTES ? ': TOO LARGE' : ''}`);
  await page.context().close();
}
await browser.close();
