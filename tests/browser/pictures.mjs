// The pictures of docs/guide/pictures, of a server with the sample studies: node pictures.mjs ADDRESS (by tools/pictures.sh).
import { join } from 'node:path';
import { openPage, ROOT, startBrowser } from './browser.mjs';

const address = process.argv[2];
const { studies } = await (await fetch(`${address}api/studies`)).json();
const study = studies.find((one) => one.modalities.includes('CT'));
const browser = await startBrowser();
for (const [name, path] of [['worklist', ''], ['study', `study/${study.study_uid}`]]) {
  const page = await openPage(browser, `${address}${path}`);
  // Events stay open, so that the network is never idle: images come within this time.
  await page.waitForTimeout(12000);
  await page.screenshot({ path: join(ROOT, 'docs/guide/pictures', `${name}.png`) });
}
await browser.close();
