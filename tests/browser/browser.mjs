// Chromium (Debian's) by playwright-core, as the cases use it.
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const packages = createRequire(join(here, '../../web/package.json'));
const { chromium } = packages('playwright-core');
export const AXE = packages.resolve('axe-core/axe.min.js');
export const ROOT = join(here, '../..');
export const SHOTS = join(ROOT, 'build/browser');

const FLAGS = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'];

export async function startBrowser() {
  mkdirSync(SHOTS, { recursive: true });
  const path = ['/usr/bin/chromium'].find((one) => existsSync(one));
  if (!path) throw new Error('chromium is not here: tools/setup.sh browser');
  return chromium.launch({ executablePath: path, headless: true, args: FLAGS });
}

/** A page that remembers what went wrong in it: exceptions, errors of the console (refused by the content policy too). */
export async function openPage(browser, address, { width = 1280, height = 800, colorScheme = 'dark', locale = 'en-GB', ...more } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale, ...more });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`exception: ${error.message}`));
  page.on('console', (message) => { if (message.type() === 'error') page.faults.push(`console: ${message.text()}`); });
  page.setDefaultTimeout(30000);
  if (address) await page.goto(address);
  return page;
}

export const shoot = (page, name) => page.screenshot({ path: join(SHOTS, `${name}.png`) });
