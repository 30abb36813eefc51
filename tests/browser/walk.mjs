// A newcomer's way through a whole release, by nothing but the words on the page: several people, one release, from the
// import to the post-mortem, with production broken on the way. Then a story, played by its own buttons, on a phone as well.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { audit, browser, open, Person, start } from './world.mjs';

const [program, plan] = process.argv.slice(2);
const pictures = process.env.PICTURES;
if (pictures) await mkdir(pictures, { recursive: true });
const picture = async (page, name) => { if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` }); };

const sandbox = await start(program, ['sandbox', '--port', '0']);
const chrome = await browser();
const heavy = [];
try {
  const { page, said } = await open(chrome, sandbox.page);
  await page.getByRole('button', { name: 'Next step' }).click({ trial: true });
  console.log(`From the start of the program to a page that can be clicked: ${Math.round(performance.now() - sandbox.begun)} ms (ready after ${Math.round(sandbox.startedIn)} ms)`);
  const me = new Person(page);
  await page.waitForFunction(() => document.querySelector('#messages').dataset.filled);
  await me.read('No messages yet');

  await me.be('Ana Ferreira');
  await me.command('/tminus rule add', { name: 'Payments', role: 'Engineering Lead', service: 'payments' });
  await me.read('Rule “Payments”');
  await me.command('/release import', { plan: { file: plan } });
  await me.read('Imported · REL-1 revision 1');
  heavy.push(...(await audit(page, 'the import')));
  await me.press('Submit for sign-off');
  await me.read('Sign-off requested');
  await me.command('/release signoff give', { role: 'Engineering Lead' });
  await me.read('Ask somebody else to sign as Engineering Lead');
  await picture(page, 'sandbox-refused');

  await me.be('Chloe Martin');
  await me.press('Sign as Engineering Lead');
  await me.read('Your Engineering Lead sign-off on revision 1 is recorded');
  await me.be('Dev Patel');
  await me.press('Sign as Product Owner');
  await me.read('Your Product Owner sign-off on revision 1 is recorded');
  await me.be('Eva Novak');
  await me.press('Sign as SRE/Ops');
  await me.read('At T-0 the owner gives');
  await me.be('Ana Ferreira');
  await me.command('/release item done', { text: { pick: 'Dependencies deployed' } });
  await me.read('Ticked: “Dependencies deployed and stable”');

  await me.clock('Next event');
  await me.look('engineering');
  await me.read('T-24h · REL-1');
  await me.clock('Next event');
  await me.be('Gwen Lee');
  await me.look('support');
  await me.read('T-2h · REL-1');
  await me.press('Briefed');
  await me.clock('Next event');
  await me.look('releases');
  await me.read('T-30m · REL-1');
  await me.read('in 30 minutes');
  await me.press('Briefed');
  await me.clock('Next event');
  await me.read('T-0 · go / no-go?');
  await me.be('Ana Ferreira');
  await me.command('/release go');
  await me.read('Ana Ferreira gave the go');

  // In the very minute of the go: what fires from here on is this release's.
  await page.getByRole('button', { name: 'Break production' }).click();
  await me.settle();
  await me.read('Alert firing: CheckoutErrorRate');
  await me.be('Ben Okafor');
  await me.press('Acknowledge');
  await me.clock('+1 min', 6);
  await me.read('🚨 Roll back?');
  await picture(page, 'sandbox-rollback');
  heavy.push(...(await audit(page, 'the prompt')));
  await me.be('Eva Novak');
  const log = page.getByRole('log');
  await log.getByRole('button', { name: 'Hold', exact: true }).last().click();
  await page.getByRole('dialog').waitFor();
  heavy.push(...(await audit(page, 'the form')));
  await picture(page, 'sandbox-form');
  const form = page.getByRole('dialog');
  await form.getByRole('textbox').first().fill('The quota is being raised; five percent is bearable.');
  await form.getByRole('button', { name: 'Send' }).click();
  await form.waitFor({ state: 'hidden' });
  await me.read('Eva Novak put the release on hold');
  await page.getByRole('button', { name: 'Fix production' }).click();
  await me.settle();
  await me.be('Ben Okafor');
  await me.command('/release alert report', { metric: { pick: 'Error Rate' }, text: '0.5%' });
  await me.be('Ana Ferreira');
  await me.command('/release resume');

  // To the end: what is asked is answered, until the all-clear is given.
  const answer = async () => {
    for (const [words, fields] of [['Continue', { '': 'The values are healthy.' }]]) {
      const buttons = log.getByRole('button', { name: words, exact: true });
      if (await buttons.count()) {
        await buttons.last().click();
        await page.getByRole('dialog').getByRole('textbox').first().fill(fields['']);
        await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
        await page.getByRole('dialog').waitFor({ state: 'hidden' });
      }
    }
  };
  await me.clock('+15 min', 2);
  await answer();
  await me.command('/release stage', { stage: 'Advance to the next stage' });
  await me.clock('+15 min', 4);
  await answer();
  await me.command('/release stage', { stage: 'Advance to the next stage' });
  await me.command('/release update', { text: 'Everyone is on the new step.' });
  await me.clock('+15 min', 4);
  await me.command('/release stage', { stage: 'Advance to the next stage' });
  await me.clock('+1 h', 3);
  await answer();
  await me.clock('+1 day');
  await answer();
  await me.command('/release all-clear');
  await me.read("You can't give the all-clear yet");
  for (const [metric, text] of [['P99 Latency', '212ms'], ['Error Rate', '0.5%'], ['Throughput', '1180 rps']]) {
    await me.command('/release alert report', { metric: { pick: metric }, text });
  }
  await me.command('/release all-clear');
  await me.read('✅ All clear');
  await picture(page, 'sandbox-all-clear');
  await me.clock('+1 day');
  await me.read('Post-mortem due');
  await me.press('File post-mortem', { 'Link': 'https://wiki.example/post-mortems/checkout-4.2' });
  await me.read('Post-mortem filed');
  console.log('By hand: from the import to the post-mortem, as six people.');

  // What is being typed stays when somebody else looks; a command that is not one says so; a status post is shown.
  const box = page.getByRole('combobox', { name: /^Message #/ });
  await box.fill('half a sent');
  await me.look('engineering');
  await me.be('Gwen Lee');
  assert.equal(await box.inputValue(), 'half a sent');
  assert.match(await page.title(), /^#engineering/);
  await box.fill('/no such thing');
  await box.press('Enter');
  await page.getByText('There is no command /no such thing').waitFor();
  await box.fill('');
  await me.look('releases');
  await page.getByRole('textbox', { name: 'Message to customers' }).fill('The new checkout is live.');
  await page.getByRole('button', { name: 'Post to the status page' }).click();
  await page.getByText('The new checkout is live.').first().waitFor();
  // A menu by keyboard: arrows look, Enter chooses.
  await me.be('Ana Ferreira');
  const slider = page.getByRole('slider', { name: 'Error Rate' });
  await slider.focus();
  await slider.press('ArrowRight');
  await slider.press('ArrowRight');
  await page.getByText('0.6%').waitFor();
  // An answer that gets lost is said to be.
  await page.getByText('Faults', { exact: true }).click();
  await page.getByRole('button', { name: 'Response lost' }).click();
  await page.getByText('Set: Response lost').waitFor();
  await me.command('/release list');
  await page.getByText('The application did not respond.').waitFor();

  const begin = async (story) => {
    const button = page.getByRole('button', { name: story, exact: true });
    if (!(await button.isVisible())) await page.getByText('Other stories').click();
    await button.click();
    await page.getByText('Setting up a fresh server.').waitFor();
    await page.getByText('Setting up a fresh server.').waitFor({ state: 'detached' });
    const title = page.getByText(new RegExp(`^${story.replace(/ \(again\)$/, '')} · step 0 of`));
    await title.waitFor({ timeout: 20_000 });
    return title;
  };
  // Other stories in the same page, played by their buttons as fast as they can be pressed.
  for (const story of ['One scare, one hold, and a post-mortem (again)', 'Production breaks, and the team rolls back']) {
    const title = await begin(story);
    const count = Number((await title.textContent()).match(/of (\d+)/)[1]);
    for (let n = 1; n <= count; n++) {
      await page.getByRole('button', { name: 'Next step' }).click();
      await page.getByText(`step ${n} of ${count}`).or(page.getByText('This step failed')).first().waitFor({ timeout: 20_000 });
      assert.equal(await page.getByText('This step failed').count(), 0, `${story}, step ${n}: ${await page.locator('#story').innerText()}`);
    }
    await page.getByRole('heading', { name: 'Connect your own server' }).waitFor();
    console.log(`By its buttons: the story "${story}", ${count} steps.`);
  }
  heavy.push(...(await audit(page, 'the end')));
  await picture(page, 'sandbox-end');

  // A step that the bot refuses, because somebody meddled, stops the story and says so.
  await begin('Cancelled before T-0');
  for (let n = 1; n <= 2; n++) {
    await page.getByRole('button', { name: 'Next step' }).click();
    await page.getByText(`step ${n} of`).waitFor();
  }
  await me.be('Chloe Martin');
  await me.press('Sign as Engineering Lead');
  await page.getByRole('button', { name: 'Next step' }).click();
  await page.getByText('This step failed').waitFor();
  await page.getByRole('button', { name: 'restart the story' }).click();
  await page.getByText('Setting up a fresh server.').waitFor();
  await page.getByText('Setting up a fresh server.').waitFor({ state: 'detached' });
  await page.getByText(/^Cancelled before T-0 · step 0 of/).waitFor({ timeout: 20_000 });
  // By keyboard alone: the button keeps the focus, step after step. Then a page that is left in the middle of a step.
  await begin('Cancelled before T-0 (again)');
  const next = page.getByRole('button', { name: 'Next step' });
  await next.focus();
  for (let n = 1; n <= 3; n++) {
    await page.keyboard.press('Enter');
    await page.getByText(`step ${n} of`).waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === 'Next step');
  }
  for (let n = 0; n < 5; n++) {
    await next.click({ noWaitAfter: true });
    await page.waitForTimeout(20 * n);
    await page.reload();
    await page.getByText(/· step \d+ of/).waitFor();
  }
  const done = () => page.locator('#story progress').evaluate((bar) => bar.value);
  const before = await done();
  await next.click();
  await page.getByText(`step ${before + 1} of`).waitFor();
  said.splice(0, said.length, ...said.filter((words) => !words.includes('net::ERR_ABORTED')));
  // Another story begun while the clock is still on its way to tomorrow.
  await page.getByRole('button', { name: '+1 day' }).click({ noWaitAfter: true });
  await begin('Nobody answers, and T-Minus keeps asking');
  await next.click();
  await page.getByText('step 1 of').waitFor();
  await begin('Production breaks, and the team rolls back');
  for (let n = 1; n <= 20; n++) {
    await next.click();
    await page.getByText(`step ${n} of`).waitFor();
  }

  // The same server on a phone, in the light.
  const phone = await open(chrome, sandbox.page, { viewport: { width: 390, height: 844 }, colorScheme: 'light', hasTouch: true, isMobile: true });
  await phone.page.getByRole('log').getByText('Rolled back').last().waitFor();
  heavy.push(...(await audit(phone.page, 'a phone')));
  await picture(phone.page, 'sandbox-phone');
  for (const shown of [page, phone.page]) {
    const beyond = await shown.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]);
    assert.deepEqual(beyond, [0, 0], 'the page itself does not scroll');
  }
  // The story goes on, and the theme changes, without a drawer.
  await phone.page.getByRole('button', { name: 'Next step' }).click();
  await phone.page.getByText('step 21 of').waitFor({ state: 'attached' });
  await phone.page.getByRole('button', { name: 'Dark / light' }).click();
  await phone.page.getByRole('button', { name: 'Story ▸' }).click();
  await phone.page.getByRole('button', { name: 'Next step' }).waitFor();
  await picture(phone.page, 'sandbox-phone-story');
  await phone.page.keyboard.press('Escape');
  await phone.page.getByRole('complementary').waitFor({ state: 'hidden' });

  const state = await (await fetch(`${sandbox.page}control/state`)).json();
  assert.deepEqual(state.violations, [], 'no limit of Discord was broken');
  assert.deepEqual([...said, ...phone.said], [], 'the console stays empty');
  assert.deepEqual(heavy, [], 'axe finds nothing serious');
} catch (error) {
  for (const context of chrome.contexts()) for (const page of context.pages()) await picture(page, 'stuck');
  throw error;
} finally {
  await chrome.close();
  assert.equal(await sandbox.stop(), 0, 'the program ends with 0');
}
console.log('The page: no console message, nothing serious found by axe, no broken limit.');
