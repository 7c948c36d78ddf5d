// Cases whose truth is computed from the files, without any code of the page.
import { readFileSync } from 'node:fs';
import { shoot } from './browser.mjs';
import { difference, frameBytes, json, lit, metadata, numbers, openStudy, pixels, seriesAddress, single, sliceText, truth, until } from './tools.mjs';

const near = (a, b, within, what) => truth(Math.abs(a - b) <= within, `${what}: ${a} instead of ${b}`);
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

async function seriesOf(site, study, modality) {
  const found = (await json(`${site.address}/api/studies/${study}`)).series.filter((one) => one.modality === modality);
  truth(found.length > 0, `no ${modality} in ${study}`);
  return found[0];
}

/** The slices of a series in the order of the page: against the normal, from the head down. */
async function slicesOf(site, study, series) {
  const objects = await metadata(site, study, series.series_uid), o = numbers(objects[0], '00200037');
  const normal = cross(o.slice(0, 3), o.slice(3, 6));
  return { normal, objects: objects.map((object) => ({ object, at: dot(numbers(object, '00200032'), normal) })).sort((a, b) => b.at - a.at) };
}

/** Pixels of one segment in the frame that has most of them: how many, their middle, and where the frame lies. */
async function largestFrame(site, study, seg) {
  const object = (await metadata(site, study, seg.series_uid))[0], pixelsOf = (object['00280010'].Value[0]) * object['00280011'].Value[0];
  const columns = object['00280011'].Value[0], isPacked = object['00280100'].Value[0] === 1, isLabelmap = object['00620001'].Value[0] === 'LABELMAP';
  const address = `${seriesAddress(site, study, seg.series_uid)}/instances/${object['00080018'].Value[0]}`;
  const first = object['00620002'].Value[0]['00620004'].Value[0];
  let best = { count: 0 };
  for (const [index, frame] of object['52009230'].Value.entries()) {
    const segment = frame['0062000A']?.Value[0]['0062000B'].Value[0] ?? (isLabelmap ? first : object['52009229'].Value[0]['0062000A'].Value[0]['0062000B'].Value[0]);
    if (segment !== first) continue;
    const bytes = await frameBytes(address, index + 1);
    let count = 0, x = 0, y = 0;
    for (let i = 0; i < pixelsOf; i += 1) {
      if (isPacked ? !((bytes[i >> 3] >> (i & 7)) & 1) : isLabelmap ? bytes[i] !== first : !bytes[i]) continue;
      count += 1;
      x += i % columns;
      y += Math.floor(i / columns);
    }
    if (count > best.count) best = { count, x: x / count, y: y / count, position: numbers(frame['00209113'].Value[0], '00200032') };
  }
  const measures = numbers((object['52009229'].Value[0]['00289110'] ?? object['52009230'].Value[0]['00289110']).Value[0], '00280030');
  return { ...best, spacing: measures, columns, rows: object['00280010'].Value[0], name: object['00620002'].Value[0]['00620005'].Value[0] };
}

/** A SEG by DICOMweb lies on its image: size and middle of what is coloured are those of the bits. */
function segOn(key, modality) {
  return async (page, site) => {
    const study = site[key];
    const series = await seriesOf(site, study, modality), seg = await seriesOf(site, study, 'SEG');
    await openStudy(page, site, study);
    await single(page);
    await page.locator('.series', { hasText: 'SEG' }).first().click();
    await page.locator('.legend-list li').first().waitFor();
    const wanted = await largestFrame(site, study, seg), { objects, normal } = await slicesOf(site, study, series);
    const at = dot(wanted.position, normal), index = objects.findIndex((one) => Math.abs(one.at - at) < 0.2);
    truth(index >= 0, 'the SEG is not on a slice of the image');
    await page.locator('.view').focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < index; i += 1) await page.keyboard.press('ArrowDown');
    await until(async () => (await sliceText(page)).startsWith(`${index + 1} /`), `slice ${index + 1}`);
    const box = page.locator('.legend-list input[type=checkbox]').first();
    await page.waitForTimeout(800);
    const shown = await pixels(page, '.view');
    await box.uncheck();
    await page.waitForTimeout(800);
    const hidden = await pixels(page, '.view'), seen = difference(shown, hidden);
    await box.check();
    truth(seen.count > 50, `${seen.count} pixels are coloured`);
    const image = objects[index].object, scale = Math.sqrt(seen.count / (wanted.count * wanted.spacing[0] * wanted.spacing[1]));
    // The image is fitted: its longer side fills the view.
    const size_mm = [image['00280011'].Value[0] * numbers(image, '00280030')[1], image['00280010'].Value[0] * numbers(image, '00280030')[0]];
    const fitted = Math.min(shown.width / size_mm[0], shown.height / size_mm[1]);
    truth(scale / fitted > 0.85 && scale / fitted < 1.15, `${wanted.name} covers ${(scale / fitted) ** 2} of what it should`);
    const offset = (value, count, mm) => (value - (count - 1) / 2) * mm * fitted;
    near(seen.x, shown.width / 2 + offset(wanted.x, wanted.columns, wanted.spacing[1]), 6 + 0.02 * shown.width, `middle of ${wanted.name}, x`);
    near(seen.y, shown.height / 2 + offset(wanted.y, wanted.rows, wanted.spacing[0]), 6 + 0.02 * shown.height, `middle of ${wanted.name}, y`);
    await shoot(page, `seg-${modality.toLowerCase()}`);
  };
}

const seconds = (time) => Number(time.slice(0, 2)) * 3600 + Number(time.slice(2, 4)) * 60 + Number(time.slice(4));

/** SUVbw of a stored value by the header alone (decay from injection to the start of the series). */
function suvOf(object, stored) {
  const dose = object['00540016'].Value[0], value = stored * numbers(object, '00281053')[0] + (numbers(object, '00281052')[0] ?? 0);
  if (object['00541001'].Value[0] === 'GML') return value;
  const injected = String(dose['00181078']?.Value[0] ?? '').slice(8) || String(dose['00181072'].Value[0]);
  const wait_s = object['00541102'].Value[0] === 'ADMIN' ? 0 : seconds(String(object['00080031'].Value[0])) - seconds(injected);
  return value * numbers(object, '00101030')[0] * 1000 / (numbers(dose, '00181074')[0] * 2 ** (-wait_s / numbers(dose, '00181075')[0]));
}

/** The value under the pointer at the middle of a PET view is the SUV of that voxel. */
async function suv(page, site) {
  const series = await seriesOf(site, site.pet, 'PT'), { objects } = await slicesOf(site, site.pet, series);
  await openStudy(page, site, site.pet);
  await single(page);
  await page.waitForTimeout(1500);
  const index = Number((await sliceText(page)).split(' ')[0]) - 1, { object } = objects[index];
  const columns = object['00280011'].Value[0], rows = object['00280010'].Value[0], spacing = numbers(object, '00280030');
  const bytes = await frameBytes(`${seriesAddress(site, site.pet, series.series_uid)}/instances/${object['00080018'].Value[0]}`, 1);
  const isSigned = object['00280103'].Value[0] === 1;
  const stored = (x, y) => (isSigned ? bytes.readInt16LE(2 * (y * columns + x)) : bytes.readUInt16LE(2 * (y * columns + x)));
  let peak = { value: -1 };
  for (let y = 8; y < rows - 8; y += 1) for (let x = 8; x < columns - 8; x += 1) if (stored(x, y) > peak.value) peak = { value: stored(x, y), x, y };
  const box = await page.locator('.view').boundingBox(), scale = Math.min(box.width / (columns * spacing[1]), box.height / (rows * spacing[0]));
  await page.mouse.move(box.x + box.width / 2 + (peak.x - (columns - 1) / 2) * spacing[1] * scale, box.y + box.height / 2 + (peak.y - (rows - 1) / 2) * spacing[0] * scale);
  await until(async () => /SUV/.test(await page.locator('.view .value').textContent()), 'a value under the pointer');
  const shown = parseFloat((await page.locator('.view .value').textContent()).replace(',', '')), wanted = suvOf(object, peak.value);
  near(shown, wanted, 0.002 * wanted + 0.001, `SUV at ${peak.x}, ${peak.y} of slice ${index + 1} (stored ${peak.value})`);
}

/** Labels of a result change the picture, go and come by their boxes, and the image stays whole beside the legend. */
async function labels(page, site) {
  await page.goto(`${site.address}/task/segmentation?method=ct.body&study=${site.ct}`);
  await page.waitForSelector('.view canvas');
  await page.locator('.card-form .run').click();
  await page.locator('.legend-list li').first().waitFor({ timeout: 120000 });
  await page.waitForTimeout(1500);
  const shown = await pixels(page, '.view');
  await page.locator('.legend-list input[type=checkbox]').first().uncheck();
  await page.waitForTimeout(800);
  const hidden = await pixels(page, '.view'), { share } = difference(shown, hidden);
  truth(share > 0.1 && share < 0.95, `${(100 * share).toFixed(1)} % of the view is coloured`);
  let edge = 0;
  for (let y = 0; y < shown.height; y += 1) for (const x of [0, 1, shown.width - 2, shown.width - 1]) edge = Math.max(edge, shown.data[4 * (y * shown.width + x)]);
  truth(edge < 60, 'the body reaches the edge of the view: it is cut off');
  await page.locator('.run-line button', { hasText: 'Reject' }).click();
  await page.locator('.run-line .badge', { hasText: 'Rejected' }).waitFor();
}

/** A click on a finding shows the slice that its centre lies in. */
async function finding(page, site) {
  await page.goto(`${site.address}/task/detection?method=pet.hot_spots&study=${site.pet}`);
  await page.waitForSelector('.view canvas');
  await page.locator('.card-form .run').click();
  await page.locator('.result button.place').first().waitFor({ timeout: 120000 });
  const id = new URL(page.url()).searchParams.get('job'), found = (await json(`${site.address}/api/jobs/${id}/result`)).findings;
  const { objects, normal } = await slicesOf(site, site.pet, await seriesOf(site, site.pet, 'PT'));
  for (const index of [0, found.length - 1]) {
    await page.locator('.result button.place').nth(index).click();
    const at = dot(found[index].centre_mm, normal), distance = (one) => Math.abs(one.at - at);
    const wanted = objects.reduce((best, one, i) => (distance(one) < distance(objects[best]) ? i : best), 0) + 1;
    await until(async () => Math.abs(Number((await page.locator('.view-axial .slice').textContent()).split(' ')[0]) - wanted) <= 1, `the axial view at slice ${wanted} for finding ${index + 1}`, 8000);
    await until(async () => (await page.locator('.view-axial .finding.chosen').count()) > 0, 'the finding is marked', 8000);
  }
  await shoot(page, 'finding');
}

/** Cancel and retry on the page of jobs. */
async function cancel(page, site) {
  await page.goto(`${site.address}/jobs`);
  const answer = await fetch(`${site.address}/api/jobs`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ task: 'report', study_uid: site.ct }) });
  const { id } = await answer.json(), row = page.locator('.jobs tbody tr').first();
  await row.locator('button', { hasText: 'Cancel' }).click();
  await row.locator('.badge', { hasText: 'Cancelled' }).waitFor();
  await row.locator('button', { hasText: 'Try again' }).click();
  await row.locator('.badge', { hasText: /Running|Waiting/ }).waitFor();
  await row.locator('button', { hasText: 'Cancel' }).click();
  await row.locator('.badge', { hasText: 'Cancelled' }).waitFor();
  near((await json(`${site.address}/api/jobs/${id}`)).state === 'cancelled' ? 1 : 0, 1, 0, 'the server has it cancelled');
}

/** Files dropped on the worklist, as a browser hands them over. */
async function drop(page, site) {
  await page.goto(site.address);
  await page.waitForSelector('.studies tbody tr');
  const files = site.uploads.map((path) => ({ name: path.split('/').pop(), bytes: [...readFileSync(path)] }));
  const data = await page.evaluateHandle((all) => {
    const transfer = new DataTransfer();
    for (const { name, bytes } of all) transfer.items.add(new File([new Uint8Array(bytes)], name));
    return transfer;
  }, files);
  for (const event of ['dragenter', 'dragover']) await page.dispatchEvent('.page', event, { dataTransfer: data });
  truth(await page.locator('.page.dropping').count() === 1, 'the page does not show that it takes the files');
  await page.dispatchEvent('.page', 'drop', { dataTransfer: data });
  const done = page.locator('.upload-status .good, .upload-status .warning');
  await done.waitFor();
  truth((await done.textContent()).startsWith(`${files.length - site.refused} images kept, ${site.refused} refused`), `the drop says: ${await done.textContent()}`);
}

/** Two series side by side: the second follows to the same place. */
async function pair(page, site) {
  const [ct, pet] = [await seriesOf(site, site.petct, 'CT'), await seriesOf(site, site.petct, 'PT')];
  await openStudy(page, site, site.petct);
  await page.locator('select[aria-label="Series beside it"]').selectOption(pet.series_uid);
  await until(async () => (await page.locator('.view').count()) === 2, 'two views');
  await until(async () => (await lit(page, '.view')) > 0.03, 'an image in the first');
  await page.locator('.view').first().focus();
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('ArrowDown');
  const a = await slicesOf(site, site.petct, ct), b = await slicesOf(site, site.petct, pet);
  await page.waitForTimeout(1000);
  const at = async (n) => Number((await page.locator('.view .slice').nth(n).textContent()).split(' ')[0]) - 1;
  const [first, second] = [a.objects[await at(0)].at, b.objects[await at(1)].at];
  near(second, first, Math.abs(b.objects[1].at - b.objects[0].at) / 2 + 0.1, 'place of the second series in mm');
  await shoot(page, 'pair');
}

/** Fusion colours the planes; the projection is the PET's (dark on light). */
async function fused(page, site) {
  await openStudy(page, site, site.petct);
  const slider = page.locator('.tool-group input[aria-label^="Opacity"]');
  await slider.waitFor();
  await page.waitForTimeout(2500);
  const coloured = ({ data }) => { let n = 0; for (let i = 0; i < data.length; i += 4) n += data[i] - data[i + 2] > 60 ? 1 : 0; return n / (data.length / 4); };
  const on = coloured(await pixels(page, '.view-axial'));
  await slider.fill('0');
  await page.waitForTimeout(1000);
  const off = coloured(await pixels(page, '.view-axial'));
  truth(on > 0.01 && off < 0.002, `hot colours on ${(100 * on).toFixed(2)} % with the PET, ${(100 * off).toFixed(2)} % without`);
  truth((await page.locator('.view-mip .corner.tl').textContent()).includes('PET'), 'the projection is not the PET');
  truth((await lit(page, '.view-mip')) > 0.3, 'the projection is not dark on light');
}

export const TRUTHS = [
  ['labels', labels], ['SEG on its CT', segOn('ct', 'CT')], ['SEG on its PET, one bit a pixel', segOn('seg', 'PT'), { needs: 'seg' }], ['SUV under the pointer', suv],
  ['a finding leads to its slice', finding], ['cancel and retry', cancel], ['drag and drop', drop], ['two series side by side', pair, { needs: 'petct' }], ['fused pixels', fused, { needs: 'petct' }],
];
