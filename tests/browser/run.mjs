// Runs the cases against a server: node run.mjs SITE.json [NAME]. One line of JSON a case: {name, fault, seconds}.
import { readFileSync } from 'node:fs';
import { openPage, shoot, startBrowser } from './browser.mjs';
import { CASES } from './cases.mjs';

const site = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const only = process.argv[3] ?? '';
// A thumbnail or a report that is not there yet is a 404 that the browser itself writes to the console.
const HARMLESS = /status of 404/;

const browser = await startBrowser();
for (const [name, act, options = {}] of CASES) {
  if (!name.includes(only) || (options.needs && !site[options.needs])) continue;
  const begin = Date.now();
  let fault = null, page = null;
  try {
    page = await openPage(browser, null, options);
    await act(page, site);
    const faults = [...new Set(page.faults)].filter((text) => !HARMLESS.test(text));
    if (faults.length > 0) fault = faults.slice(0, 5).join('\n');
  } catch (error) {
    fault = `${error.message}\n${page ? page.faults.slice(0, 5).join('\n') : ''}`;
    if (page) await shoot(page, `failed-${name.replace(/\W+/g, '-')}`).catch(() => undefined);
  }
  await page?.context().close();
  process.stdout.write(`${JSON.stringify({ name, fault, seconds: (Date.now() - begin) / 1000 })}\n`);
}
await browser.close();
