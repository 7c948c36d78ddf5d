// The main paths through the page. A case is (page, site, tools): it throws what is wrong. `site` says what the server holds.
import { shoot } from './browser.mjs';
import { axe, goTo, lit, openStudy, single, sliceText, truth, until } from './tools.mjs';
import { TRUTHS } from './truths.mjs';

export { axe, lit, truth, until } from './tools.mjs';

async function worklist(page, site) {
  await page.goto(site.address);
  await page.waitForSelector('.studies tbody tr');
  truth((await page.locator('.research-use').textContent()).includes('not a medical device'), 'the research line is missing');
  truth(await page.locator('.badge.synthetic').count() > 0, 'the synthetic study is not marked');
  await page.locator('.link-state[data-up="true"]').waitFor();
  await shoot(page, 'worklist');
  await axe(page, 'worklist');
  const before = await page.locator('.studies tbody tr').count();
  await page.fill('input[type=search]', 'no such patient');
  await page.locator('.notice.empty').waitFor();
  await page.fill('input[type=search]', '');
  await until(async () => (await page.locator('.studies tbody tr').count()) === before, 'all studies are back');
  await page.locator('.segmented button', { hasText: 'US' }).click();
  await until(async () => (await page.locator('.studies tbody tr').count()) < before, 'the filter leaves some out');
  truth(page.url().includes('modality=US'), 'the filter is not in the address');
}

async function upload(page, site) {
  await page.goto(site.address);
  await page.locator('.upload input[type=file]').first().setInputFiles(site.uploads);
  const done = page.locator('.upload-status .good, .upload-status .warning');
  await done.waitFor();
  truth((await done.textContent()).startsWith(`${site.uploads.length - site.refused} images kept, ${site.refused} refused`), `upload says: ${await done.textContent()}`);
  await shoot(page, 'upload');
}

async function viewer(page, site) {
  await openStudy(page, site, site.ct);
  await single(page);
  const first = await sliceText(page);
  await page.keyboard.press('ArrowDown');
  await until(async () => (await sliceText(page)) !== first, 'an arrow key changes the slice');
  await page.locator('.view').hover();
  await page.mouse.wheel(0, 300);
  await page.keyboard.press('2');
  await until(async () => (await page.locator('.corner.br').first().textContent()).includes('W 1,500') || (await page.locator('.corner.br').first().textContent()).includes('W 1500'), 'key 2 is the lung window');
  await page.keyboard.press('1');
  await page.locator('.toolbar button', { hasText: 'MPR + MIP' }).click();
  await until(async () => (await page.locator('.view').count()) === 4, 'four views');
  await until(async () => (await lit(page, '.view-mip')) > 0.03, 'a projection');
  await page.waitForTimeout(1500);
  await shoot(page, 'viewer-mpr');
  await axe(page, 'viewer');
}

async function length(page, site) {
  await openStudy(page, site, site.ct);
  await single(page);
  await page.keyboard.press('l');
  const box = await page.locator('.view').boundingBox();
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.5);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.5, { steps: 8 });
  await page.mouse.up();
  await until(async () => /\d mm/.test(await page.locator('.view').textContent()), 'a length in mm');
  await shoot(page, 'length');
}

async function cine(page, site) {
  await openStudy(page, site, site.cine ?? site.ct);
  const first = await sliceText(page);
  await page.keyboard.press(' ');
  await until(async () => (await sliceText(page)) !== first, 'the cine moves');
  await shoot(page, 'cine');
  await page.keyboard.press(' ');
}

async function fusion(page, site) {
  await openStudy(page, site, site.petct);
  await page.locator('.tool-group select[aria-label="Fusion"]').waitFor();
  await until(async () => (await page.locator('.tool-group input[aria-label^="Opacity"]').count()) === 1, 'the PET lies over the CT');
  await page.waitForTimeout(2500);
  await shoot(page, 'fusion');
}

async function method(page, site) {
  await page.goto(`${site.address}/task/segmentation?method=ct.body&study=${site.ct}`);
  await page.waitForSelector('.view canvas');
  await shoot(page, 'task-form');
  await axe(page, 'task form');
  await page.locator('.card-form .run').click();
  await page.locator('.run-line .badge').waitFor();
  await page.locator('.result').waitFor({ timeout: 120000 });
  await page.locator('.legend-list li').first().waitFor();
  await page.locator('.legend-list button').first().click();
  await page.waitForTimeout(1500);
  await shoot(page, 'task-result');
  await axe(page, 'task result');
  await page.locator('.result button.place').first().click();
  await page.locator('.run-line button', { hasText: 'Accept' }).click();
  await until(async () => (await page.locator('.run-line .badge.pending').count()) === 0, 'it is accepted');
}

async function forms(page, site) {
  await page.goto(`${site.address}/tasks?study=${site.ct}`);
  await page.waitForSelector('.method');
  await shoot(page, 'tasks');
  await axe(page, 'methods');
  const addresses = await page.locator('.method').evaluateAll((links) => links.map((link) => link.pathname + link.search));
  truth(addresses.length >= site.methods, `${addresses.length} methods, at least ${site.methods} are wanted`);
  for (const address of addresses) {
    await goTo(page, address);
    const name = new URLSearchParams(address.split('?')[1]).get('method');
    await page.locator('.form-side h1', { hasText: name }).waitFor();
    await page.locator('.card-form .run').waitFor();
  }
}

async function jobs(page, site) {
  await page.goto(`${site.address}/jobs`);
  await page.waitForSelector('.jobs tbody tr');
  await shoot(page, 'jobs');
  await axe(page, 'jobs');
}

async function report(page, site) {
  await page.goto(`${site.address}/report?study=${site.ct}`);
  await page.locator('button.primary').click();
  await page.locator('.run-state .badge.pending, .run-state .badge.done').waitFor({ timeout: 300000 });
  await page.locator('iframe').waitFor({ timeout: 300000 });
  truth((await page.locator('iframe').getAttribute('sandbox')) === '', 'the report may run things');
  await page.waitForTimeout(1500);
  await shoot(page, 'report');
  await axe(page, 'report');
}

async function settings(page, site) {
  await page.goto(`${site.address}/settings`);
  await page.waitForSelector('.code');
  await shoot(page, 'settings');
  await axe(page, 'settings');
}

async function chinese(page, site) {
  await page.goto(site.address);
  await page.waitForSelector('.studies tbody tr');
  await page.locator('.topbar select').last().selectOption('zh');
  await page.locator('h1', { hasText: '工作列表' }).waitFor();
  truth((await page.locator('html').getAttribute('lang')) === 'zh-CN', 'the language of the document');
  await shoot(page, 'worklist-zh');
  await page.goto(`${site.address}/task/segmentation?method=ct.body&study=${site.ct}`);
  await page.locator('.form-side', { hasText: '在 CT 图像中找出患者' }).waitFor();
  await page.locator('.field label', { hasText: '下限 HU' }).waitFor();
  await page.waitForTimeout(1500);
  await shoot(page, 'task-zh');
  await page.goto(`${site.address}/study/${site.ct}`);
  await page.waitForSelector('.view canvas');
  await page.waitForTimeout(3000);
  await shoot(page, 'viewer-zh');
}

/** No pointer at all: to a study, its slices, a window, a layout, and back. */
async function keyboard(page, site) {
  await page.goto(site.address);
  await page.waitForSelector('.studies tbody tr');
  await page.keyboard.press('Tab');
  truth((await page.evaluate(() => document.activeElement?.className)) === 'skip', 'the first stop is the link to the content');
  const tabTo = async (what, test) => {
    for (let stop = 0; stop < 80; stop += 1) {
      if (await page.evaluate(test, what)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`80 stops and no ${what}`);
  };
  await tabTo(site.ct, (uid) => document.activeElement?.getAttribute('href') === `/study/${uid}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.view canvas');
  await until(async () => (await lit(page, '.view')) > 0.01, 'an image is seen');
  await tabTo('view', () => document.activeElement?.classList.contains('view'));
  const first = await sliceText(page);
  await page.keyboard.press('PageDown');
  await until(async () => (await sliceText(page)) !== first, 'a key changes the slice');
  await page.evaluate(() => document.querySelector('.toolbar button').focus());
  await tabTo('MPR', (text) => document.activeElement?.textContent === text);
  await page.keyboard.press('Enter');
  await until(async () => (await page.locator('.view').count()) === 3, 'three planes');
}

async function sizes(page, site) {
  for (const [name, width, height] of [['1920', 1920, 1080], ['tablet', 820, 1180]]) {
    await page.setViewportSize({ width, height });
    for (const [what, path] of [['worklist', '/'], ['study', `/study/${site.petct ?? site.ct}`], ['task', `/task/segmentation?method=ct.body&study=${site.ct}`]]) {
      await page.goto(site.address + path);
      await page.waitForSelector(what === 'worklist' ? '.studies' : '.view canvas');
      await page.waitForTimeout(what === 'worklist' ? 300 : 4000);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      truth(over <= 1, `${what} at ${width}: ${over} px wider than the window`);
      await shoot(page, `${what}-${name}`);
    }
  }
}

async function light(page, site) {
  for (const [name, path, ready] of [['worklist', '/', '.studies'], ['study', `/study/${site.ct}`, '.view canvas'], ['tasks', '/tasks', '.method'], ['task', `/task/segmentation?method=ct.body&study=${site.ct}`, '.card-form']]) {
    await page.goto(site.address + path);
    await page.waitForSelector(ready);
    await page.waitForTimeout(1500);
    await axe(page, `${name}, light`);
    await shoot(page, `${name}-light`);
  }
}

/** In this order: later cases see what earlier ones left. Options are those of the page. */
export const CASES = [
  ['worklist', worklist], ['upload', upload], ['viewer', viewer], ['length', length], ['cine', cine, { needs: 'cine' }], ['fusion', fusion, { needs: 'petct', width: 1600, height: 950 }], ['method from its card', method],
  ...TRUTHS, ['forms of all methods', forms], ['jobs', jobs], ['report', report], ['settings', settings], ['Chinese', chinese], ['keyboard', keyboard], ['sizes', sizes], ['light', light, { colorScheme: 'light' }],
];
