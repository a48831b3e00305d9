/** What a person does on the status page, through to what it changes: cases of status-page.test.ts. */
import { expect, it } from 'vitest';
import type { z } from 'zod';
import type { NodeView } from '../../schema/contracts/nodes.ts';
import type { SettingsResponseSchema } from '../../schema/contracts/renewal-settings.ts';
import type { SystemState } from '../../schema/contracts/system.ts';
import type { PageScene } from './page-scene.ts';
import { HOSTILE } from './page-scene.ts';
import { clickOn, confirms, fillIn, press, pressAndConfirm, shows, unreachedByTab } from './page-tab.ts';
import { KEYS } from './sites/firefox-tab.ts';

/** The cases, on the scene that is there when they run. */
export function actionCases(sceneNow: () => PageScene): void {
  it('says what each button of the mode does, and changes the mode', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    await shows(tab, /Pause\s+Nothing new starts\. What runs now.*Drain\s+Like a pause for what is new/);
    await press(tab, 'Drain');
    await confirms(tab, /The system drains\./);
    await shows(tab, /Draining.*Everything has ended/);
    expect(await modeOf(scene)).toBe('draining');
    await press(tab, 'Resume');
    await confirms(tab, /The system runs again\./);
    await clickOn(tab, '.options input');
    await pressAndConfirm(tab, 'Pause');
    await confirms(tab, /The system is paused\./);
    expect(await modeOf(scene)).toBe('paused');
    await press(tab, 'Resume');
    await shows(tab, /New work starts as it comes/);
    expect(await modeOf(scene)).toBe('running');
  });

  it('approves exactly the bytes that it shows, and shows live what becomes of it', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    await scene.at('/');
    const { instruction_id } = await scene.instruction(
      '@conductor::exec::{"argv": ["echo", "ma\\u202ein"]}',
      'awaiting_approval',
    );
    await shows(tab, /Waits for you\s+Approval\s+conductor::exec/);
    await scene.at(`/instructions/${instruction_id}`);
    await shows(tab, /"ma\\u\{202e\}in"/);
    expect(await tab.evaluate(() => document.querySelector('.bytes mark')?.textContent)).toBe('\\u{202e}');
    await press(tab, 'Approve');
    await shows(tab, /succeeded.*Approved.*Started.*Ended/);
    expect((await scene.instructionNow(instruction_id)).status).toBe('succeeded');
  });

  it('denies what waits for approval by the keyboard alone', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    const { instruction_id } = await scene.instruction('@conductor::exec::{"argv": ["id"]}', 'awaiting_approval');
    await scene.at(`/instructions/${instruction_id}`);
    await tab.until(() => document.querySelector('.buttons .primary:not(:disabled)') !== null);
    expect(await unreachedByTab(tab)).toEqual([]);
    await tab.until(() => {
      const deny = [...document.querySelectorAll('button')].find((one) => one.textContent === 'Deny');
      deny?.focus();
      return deny !== undefined;
    });
    await tab.type(KEYS.enter);
    await confirms(tab, /Denied: it does not run/);
    expect((await scene.instructionNow(instruction_id)).status).toBe('denied');
    // The button is gone: the keyboard continues in the content.
    await tab.until(() => document.activeElement?.id === 'main');
  });

  it('cancels what waits and what runs, after a question that Escape leaves', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    const waiting = await scene.instruction('@conductor::exec::{"argv": ["id"]}', 'awaiting_approval');
    await scene.at(`/instructions/${waiting.instruction_id}`);
    await press(tab, 'Cancel');
    await shows(tab, /Cancel this instruction\?/);
    await tab.type(KEYS.escape);
    await tab.until(
      () => document.querySelector('dialog') === null && document.activeElement?.textContent === 'Cancel',
    );
    await pressAndConfirm(tab, 'Cancel');
    await confirms(tab, /Canceled; a running program ends/);
    expect((await scene.instructionNow(waiting.instruction_id)).status).toBe('canceled');
    const running = await scene.instruction('@conductor::exec::{"argv": ["sleep", "600"]}', 'running');
    await scene.at(`/instructions/${running.instruction_id}`);
    await pressAndConfirm(tab, 'Cancel');
    await shows(tab, /canceled.*Cancellation asked for.*Ended/);
    expect((await scene.instructionNow(running.instruction_id)).status).toBe('canceled');
  });

  it('hands a running step over, cancels its task, and tries it again', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    const task = await scene.newTask('A long <b>task</b>', { input: { script: 'echo begun; sleep 600' } });
    await scene.at('/tasks');
    await press(tab, 'A long <b>task</b>');
    await shows(tab, /begun/);
    expect(await tab.url()).toContain(task);
    await press(tab, 'Hand over');
    await confirms(tab, /Its node was asked to give the step up/);
    const { runs } = await scene.taskIs(task, (one) => one.runs[0]?.status === 'lost');
    expect(runs[0]?.error_code).toBe('handed_over');
    await pressAndConfirm(tab, 'Cancel');
    await shows(tab, /A long <b>task<\/b>.*canceled/);
    await press(tab, 'Retry');
    await confirms(tab, /The task is tried again\./);
    await scene.taskIs(task, ({ status }) => status === 'queued' || status === 'running');
    await scene.cluster.call('POST', `/v1/tasks/${task}/cancel`, {});
  });

  it('decides a step that waits for a person, with a note', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    const input = { question: `Is ${HOSTILE} good?` };
    const task = await scene.newTask('A review', { kind: 'review', input });
    await scene.at('/');
    await shows(tab, /Blocked task\s+A review/);
    await press(tab, 'A review');
    await shows(tab, /Is <img src=x .*\\u\{202e\}.* good\?/);
    expect(await tab.evaluate(() => document.querySelector<HTMLButtonElement>('.primary')?.disabled)).toBe(true);
    await fillIn(tab, '#note', 'looks good');
    await press(tab, 'Done');
    await confirms(tab, /Decided: the task continues accordingly/);
    await scene.taskIs(task, ({ status }) => status === 'done');
  });

  it('keeps a setting, and names the field that is refused', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    await scene.at('/settings');
    await clickOn(tab, '#setting-max_per_day-own');
    await fillIn(tab, '#setting-max_per_day', 'many');
    await press(tab, 'Save');
    await shows(tab, /Renewals a day: /);
    await fillIn(tab, '#setting-max_per_day', '7');
    await clickOn(tab, '#setting-template-own');
    await fillIn(tab, '#setting-template', 'Go {nowhere}');
    await press(tab, 'Save');
    await shows(tab, /Text of a renewal: no other placeholders than \{summary\}/);
    await fillIn(tab, '#setting-template', 'Carry on: {link}');
    await press(tab, 'Save');
    await confirms(tab, /The settings are saved\./);
    const { settings } = await scene.cluster.call<z.output<typeof SettingsResponseSchema>>(
      'GET',
      '/v1/renewal/settings',
    );
    expect(settings).toEqual({ max_per_day: 7, template: 'Carry on: {link}' });
  });

  it('makes, replaces and revokes a token, and shows each secret once', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    const secret = () => tab.until(() => document.querySelector('.secret')?.textContent);
    const works = async (token: string) => {
      const asked = { headers: { authorization: `Bearer ${token}` } };
      const response = await fetch(`${scene.cluster.stack.edgeUrl}/v1/session`, asked);
      await response.body?.cancel();
      return response.ok;
    };
    await scene.at('/tokens');
    await fillIn(tab, '#token-subject', 'a laptop');
    await press(tab, 'Create');
    await confirms(tab, /The token was created\./);
    const first = String(await secret());
    expect(await works(first)).toBe(true);
    await press(tab, 'I have kept it');
    await scene.at('/tokens');
    expect(await tab.evaluate(() => document.documentElement.outerHTML)).not.toContain(first);
    await pressAndConfirm(tab, 'Replace', 'a laptop');
    await confirms(tab, /The token has a new secret\./);
    const second = String(await secret());
    expect([await works(first), await works(second)]).toEqual([false, true]);
    await pressAndConfirm(tab, 'Revoke', 'a laptop');
    await confirms(tab, /The token is revoked\./);
    await shows(tab, /a laptop\s+may read\s+revoked/);
    expect(await works(second)).toBe(false);
  });

  it('drains a node, and lets it claim again', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    const isDraining = async () => (await scene.cluster.call<NodeView>('GET', '/v1/controllers/host-a')).draining;
    await scene.at('/nodes/host-a');
    await press(tab, 'Drain');
    await confirms(tab, /The node claims nothing more/);
    expect(await isDraining()).toBe(true);
    await press(tab, 'Let it claim again');
    await confirms(tab, /The node claims work again\./);
    expect(await isDraining()).toBe(false);
  });

  it('resumes a browser that its site has stopped', async () => {
    const scene = sceneNow();
    const { tab } = scene;
    scene.delivery = {
      failed: true,
      reason: 'http_401',
      downstream: { method: 'dom', http_status: 401, seen_in_page: false, duration_ms: 1 },
    };
    await scene.cluster.call('POST', '/v1/browser/claude/send', { prompt: 'Hello.' });
    await scene.at('/');
    await shows(tab, /Stopped browser\s+firefox-host-a\s+Claude: signed out of the site/);
    scene.delivery = {};
    await scene.at(`/browsers/${scene.browser.clientId}`);
    await press(tab, 'Resume', 'Claude');
    await confirms(tab, /The browser was asked to resume\./);
    await tab.until(() => !document.body.innerText.includes('signed out of the site'));
  });
}

const modeOf = async ({ cluster }: PageScene) => (await cluster.call<SystemState>('GET', '/v1/system/state')).mode;
