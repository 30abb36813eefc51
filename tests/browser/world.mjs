// What every browser test shares: a sandbox of its own, a browser, a person who only knows what stands on the page.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Starts a program that prints one line of JSON when it is ready. */
export async function start(program, args) {
  const begun = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => { throw new Error(`${program} ended with ${code} before it was ready`); }),
  ]);
  const stop = async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    return child.exitCode;
  };
  return { ...JSON.parse(line), startedIn: performance.now() - begun, begun, stop };
}

/** A browser that stays on this machine. */
export function browser() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const quiet = ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox', ...quiet] : quiet });
}

/** A page whose console must stay empty. */
export async function open(browser, address, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 }, timezoneId: 'Europe/Berlin', locale: 'en-GB', colorScheme: 'dark', reducedMotion: 'reduce', ...options,
  });
  const page = await context.newPage();
  const said = [];
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) said.push(message.text()); });
  page.on('pageerror', (error) => said.push(error.message));
  page.on('requestfailed', (request) => { if (!request.url().endsWith('/events')) said.push(`${request.url()}: ${request.failure()?.errorText}`); });
  await page.goto(address);
  return { page, said };
}

/** Serious findings of axe on the page as it stands. */
export async function audit(page, where) {
  // Handed over by the debugger: the page's own policy forbids scripts from elsewhere, and that is right.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const heavy = violations.filter((found) => ['serious', 'critical'].includes(found.impact));
  return heavy.map((found) => `${where}: ${found.id} (${found.impact}): ${found.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`);
}

/** A person at the page: finds things by what is written on them. */
export class Person {
  constructor(page) { this.page = page; this.who = ''; }

  async be(name) {
    await this.page.getByRole('navigation').getByRole('link', { name: new RegExp(`^${name}`) }).click();
    await this.page.getByRole('link', { name: new RegExp(`^${name}`) }).and(this.page.locator('[aria-current]')).waitFor();
    this.who = name;
  }

  async look(channel) {
    await this.page.getByRole('navigation').getByRole('link', { name: new RegExp(`^${channel}( |\\d|$)`) }).click();
    await this.page.getByRole('heading', { level: 1, name: `#${channel}` }).waitFor();
  }

  /** Types a command and fills what it asks. */
  async command(words, fields = {}) {
    const box = this.page.getByRole('combobox', { name: /^Message #/ });
    await box.fill(words);
    await this.page.getByRole('option', { name: new RegExp(`^${words}`) }).first().waitFor();
    await box.press('Enter');
    const form = this.page.getByRole('group', { name: words });
    for (const [name, value] of Object.entries(fields)) {
      let field = form.getByLabel(new RegExp(`^${name}`)).first();
      if (!(await field.count())) await form.getByRole('button', { name: /optional/ }).click();
      field = form.getByLabel(new RegExp(`^${name}`)).first();
      if (value.file) await field.setInputFiles(value.file);
      else if (value.pick) {
        await field.fill(value.pick);
        await form.getByRole('option', { name: new RegExp(value.pick, 'i') }).first().click();
      } else if ((await field.evaluate((node) => node.tagName)) === 'SELECT') await field.selectOption({ label: value });
      else await field.fill(value);
    }
    await form.getByRole('button', { name: 'Run' }).click();
    await form.waitFor({ state: 'detached' });
  }

  /** Presses the newest button with these words, and fills the form that opens. */
  async press(words, fields = {}) {
    const button = this.page.getByRole('log').getByRole('button', { name: words, exact: true });
    await button.last().click();
    if (Object.keys(fields).length === 0) { await this.settle(); return; }
    const form = this.page.getByRole('dialog');
    for (const [name, value] of Object.entries(fields)) await form.getByLabel(new RegExp(`^${name}`)).fill(value);
    await form.getByRole('button', { name: 'Send' }).click();
    await form.waitFor({ state: 'hidden' });
  }

  /** The clock, by one of its buttons, so many times. */
  async clock(words, times = 1) {
    for (let n = 0; n < times; n++) {
      const button = this.page.getByRole('button', { name: words, exact: true });
      await button.click();
      await this.settle();
    }
  }

  async settle() {
    await this.page.waitForFunction(() => !document.querySelector('button[aria-busy=true]'));
  }

  /** Waits until somebody can read this in the channel. */
  async read(words) {
    await this.page.getByRole('log').getByText(words).last().waitFor({ timeout: 10_000 });
  }
}
