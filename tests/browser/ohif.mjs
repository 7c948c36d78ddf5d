// The built OHIF, unchanged, against our DICOMweb: node ohif.mjs SITE.json [NAME]. One line of JSON a case.
import { readFileSync } from 'node:fs';
import { openPage, shoot, startBrowser } from './browser.mjs';

const site = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const only = process.argv[3] ?? '';
const PATIENCE_MS = 60000;

function truth(is, what) {
  if (!is) throw new Error(what);
}

async function until(act, what) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await act())) {
    truth(Date.now() < end, `waited in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

const pane = (page, at = 0) => page.locator('[data-cy="viewport-pane"]').nth(at);
const sliceText = (page) => page.locator('[data-cy="viewport-overlay-bottom-right"]').first().innerText();

/** What is seen in the inner part of a viewport (the texts at its rim left out), each third pixel: [red, green, blue, ...]. */
async function picture(page, at = 0) {
  const png = (await pane(page, at).screenshot()).toString('base64');
  return page.evaluate(async (text) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: 'image/png' }));
    const width = Math.round((bitmap.width * 0.8) / 3), height = Math.round((bitmap.height * 0.6) / 3);
    const pen = new OffscreenCanvas(width, height).getContext('2d');
    pen.imageSmoothingEnabled = false;
    pen.drawImage(bitmap, bitmap.width * 0.1, bitmap.height * 0.2, bitmap.width * 0.8, bitmap.height * 0.6, 0, 0, width, height);
    return { width, pixels: [...pen.getImageData(0, 0, width, height).data].filter((_, i) => i % 4 !== 3) };
  }, png);
}

const isColoured = ({ pixels }, i) => Math.max(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]) - Math.min(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]) > 40;
const count = ({ pixels }) => pixels.length / 3;
const coloured = (shown) => Array.from({ length: count(shown) }, (_, i) => i).filter((i) => isColoured(shown, i));

async function openStudy(page, study, mode = 'viewer') {
  await page.goto(`${site.ohif}/${mode}?StudyInstanceUIDs=${study}`);
  await page.locator('[data-cy="viewport-overlay-bottom-right"]').first().getByText(/\(\d+\/\d+\)|\d+\/\d+/).waitFor({ timeout: PATIENCE_MS });
  await page.waitForTimeout(3000);
}

/** Opens a derived series of the study browser and says yes to OHIF's question. */
async function openSeries(page, description) {
  await page.getByText(description).last().dblclick();
  await page.getByRole('button', { name: 'Yes', exact: true }).click({ timeout: PATIENCE_MS });
  await page.waitForTimeout(4000);
}

async function worklist(page) {
  await page.goto(site.ohif);
  await page.getByText('SYNTHETIC CT of a drawn patient').waitFor({ timeout: PATIENCE_MS });
  truth((await page.getByText(/^1-\d+ of \d+$/).innerText()).endsWith(` ${site.studies}`), 'the list has not all studies');
  await shoot(page, 'ohif-worklist');
}

// Lungs are black in the usual window: what the SEG colours must be what was black inside the body, on both sides.
async function segmentation(page) {
  await openStudy(page, site.ct);
  const before = await picture(page);
  truth(coloured(before).length === 0, 'a CT has colours');
  await openSeries(page, 'SYNTHETIC Segmentation ct.lungs');
  const after = await picture(page), tinted = coloured(after);
  truth(tinted.length > 0.03 * count(after), `the SEG colours ${tinted.length} of ${count(after)} pixels`);
  const black = tinted.filter((i) => before.pixels[3 * i] < 40).length / tinted.length;
  truth(black > 0.95, `only ${(100 * black).toFixed(1)} % of what the SEG colours is lung`);
  const left = tinted.filter((i) => i % after.width < after.width / 2).length / tinted.length;
  truth(left > 0.3 && left < 0.7, `${(100 * left).toFixed(0)} % of the SEG is on the left of the screen`);
  await page.locator('[data-cy="panelSegmentation-btn"]').click();
  for (const name of ['right lung', 'left lung']) await page.getByText(name, { exact: true }).waitFor();
  await shoot(page, 'ohif-seg');
}

async function measurements(page) {
  await openStudy(page, site.ct);
  await openSeries(page, 'SYNTHETIC Measurements ct.lungs');
  await page.locator('[data-cy="trackedMeasurements-btn"]').click();
  await page.getByText('Measurements (2)').waitFor();
  const first = await sliceText(page), row = page.locator('[data-cy="data-row"]').filter({ hasText: /lung \(right\): volume \d+/ });
  await row.waitFor();
  await row.click();
  await until(async () => (await sliceText(page)) !== first, 'a measurement leads to its place');
  await shoot(page, 'ohif-sr');
}

async function fusion(page) {
  await openStudy(page, site.petct, 'tmtv');
  await until(async () => (await page.locator('[data-cy="viewport-pane"]').count()) >= 9, 'the layout of PET and CT');
  const share = async (at) => { const shown = await picture(page, at); return coloured(shown).length / count(shown); };
  await until(async () => (await share(7)) > 0.1, 'the fused view has colours');
  truth((await share(1)) < 0.01, 'the CT has colours');
  await page.waitForTimeout(3000);
  await shoot(page, 'ohif-fusion');
}

async function cine(page) {
  await openStudy(page, site.cine);
  await pane(page).hover({ position: { x: 300, y: 60 } });
  await page.locator('[data-cy="cine-player-play-pause"]').click({ timeout: PATIENCE_MS });
  const seen = new Set();
  await until(async () => seen.add(await sliceText(page)).size > 3, 'the cine plays');
  await shoot(page, 'ohif-cine');
}

const CASES = [['worklist', worklist], ['CT with our SEG', segmentation], ['our SR', measurements], ['PET/CT fusion', fusion, 'petct'], ['ultrasound cine', cine, 'cine']];

const browser = await startBrowser();
for (const [name, act, needs] of CASES) {
  if (!name.includes(only) || (needs && !site[needs])) continue;
  const begin = Date.now();
  let fault = null;
  const page = await openPage(browser, null, { width: 1400, height: 900 });
  // OHIF greets with a tour of itself and a notice.
  await page.addInitScript(() => {
    localStorage.setItem('shownTours', '["basicViewerTour"]');
    localStorage.setItem('investigationalUseDialog', '{"expiryDate":"2099-01-01T00:00:00.000Z"}');
  });
  try {
    await act(page);
    const faults = page.faults.filter((text) => !text.includes('status of 404'));
    if (faults.length > 0) fault = [...new Set(faults)].slice(0, 5).join('\n');
  } catch (error) {
    fault = `${error.message}\n${page.faults.slice(0, 5).join('\n')}`;
    await shoot(page, `failed-ohif-${name.replace(/\W+/g, '-')}`).catch(() => undefined);
  }
  await page.context().close();
  process.stdout.write(`${JSON.stringify({ name, fault, seconds: (Date.now() - begin) / 1000 })}\n`);
}
await browser.close();
