/** A person at the overlay of a chat, against the real edge: each button has its effect there, and every tab shows it. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pageOf } from '../../schema/contracts/common.ts';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import { InstructionSchema } from '../../schema/contracts/instructions.ts';
import { SystemStateSchema } from '../../schema/contracts/system.ts';
import { overlayText, picture, pressButton } from '../support/extension/people-scene.ts';
import { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { describeWithManifests } from '../support/sites/manifests.ts';
import { WholeSystem } from '../support/sites/whole-system.ts';
import { chatgpt, personWrites } from '../support/whole-path/chat-sites.ts';

const HOST = '[data-conductor-overlay]';
const POLICY = {
  exec: { default: 'ask', rules: [{ match: { argv: ['sleep', '*'] }, decision: 'allow' }], shell: 'deny' },
  tools: { 'files/write': 'allow' },
};

function block(tool: string, params: object): string {
  return `\`\`\`baa\n@conductor::${tool}::${JSON.stringify(params)}\n\`\`\`\n`;
}

describeWithManifests('a person at the overlay', (manifest) => {
  const chat = chatgpt('legacy', 'delta');
  let system: WholeSystem;
  let first: FirefoxTab;
  let second: FirefoxTab;
  let conversationId: string;
  /** How many texts the chat has received: of the person, and replies. */
  let written = 0;

  beforeAll(async () => {
    // No renewal comes between: the test presses Auto to see it at the edge.
    const vars = { BAA_TIMED_JOBS_SETTLE_DELAY_MS: '3600000' };
    system = await WholeSystem.start({ sites: [chat.site], manifest, policy: POLICY, vars });
    first = await system.firefox.openTab(chat.newChatUrl);
    await ask('Hello.');
    conversationId = await first.until(() => /\/c\/([^/]+)$/.exec(location.pathname)?.[1] ?? '');
    await system.message(conversationId);
    second = await system.firefox.openTab(await first.url());
    for (const tab of [second, first]) {
      await tab.activate();
      await overlayText(tab, /running/);
      const isOpen = await tab.inShadow(HOST, (root) => root.querySelector('.panel') !== null);
      if (!isOpen) await pressButton(tab, 'Open the Conductor panel');
    }
    await bothShow(/Pause everything/);
  });
  afterAll(() => system?.stop());

  /** The person asks, and the assistant answers so. */
  async function ask(answer: string): Promise<void> {
    written += 1;
    chat.assistantSays(answer);
    await personWrites(first, chat, 'please');
  }

  /** A reply has come into the chat, and the assistant has answered it. */
  async function replied(): Promise<void> {
    written += 1;
    await expect.poll(() => chat.received().length).toBe(written);
    // It goes into one of the tabs.
    for (const tab of [first, second]) {
      await tab.until(() => document.querySelector('[data-testid=stop-button]') === null);
    }
  }

  async function bothShow(pattern: RegExp): Promise<void> {
    await overlayText(first, pattern);
    await overlayText(second, pattern);
  }

  /** Whether that mode is pressed, in both tabs. */
  async function bothHaveMode(label: string): Promise<void> {
    for (const tab of [first, second]) {
      const pressed = () => tab.inShadow(HOST, (root) => root.querySelector('[aria-pressed=true]')?.textContent);
      await expect.poll(pressed).toBe(label);
    }
  }

  const mode = async () => (await system.api.get('/v1/system/state', SystemStateSchema)).mode;
  const automation = async () => (await system.conversation('chatgpt', conversationId)).automation_status;

  /** The instruction with that file or program comes to that status. */
  async function instructionIs(status: InstructionState, what: string): Promise<void> {
    await system.eventually(`the instruction with ${what} to be ${status}`, async () => {
      const { items } = await system.api.get('/v1/instructions', pageOf(InstructionSchema));
      return items.some((one) => JSON.stringify(one.params).includes(what) && one.status === status) || null;
    });
  }

  it('pauses the system, resumes it, and submits again what a pause has stopped', async () => {
    await pressButton(first, 'Pause everything');
    await expect.poll(mode).toBe('paused');
    await bothShow(/paused/);
    await ask(`I write.\n\n${block('files/write', { path: 'again.txt', content: 'x' })}`);
    await bothShow(/Instructions stopped: the system started no new work/);
    expect(existsSync(system.workspace('again.txt'))).toBe(false);
    await pressButton(second, 'Resume');
    await expect.poll(mode).toBe('running');
    await bothShow(/Pause everything/);
    // The reply says that it was stopped; the other one, what became of it.
    await replied();
    await pressButton(first, 'Submit again');
    await instructionIs('succeeded', 'again.txt');
    expect(existsSync(system.workspace('again.txt'))).toBe(true);
    await replied();
    await bothShow(/files\/write succeeded/);
  });

  it('sets the conversation to Auto and back', async () => {
    await bothHaveMode('Manual');
    await pressButton(first, 'Auto');
    await expect.poll(automation).toBe('auto');
    await bothHaveMode('Auto');
    await pressButton(second, 'Manual');
    await expect.poll(automation).toBe('manual');
    await bothHaveMode('Manual');
  });

  it('approves an instruction in the window that the overlay opens, and it runs', async () => {
    await ask(block('exec', { argv: ['touch', 'approved.txt'] }));
    await bothShow(/Waiting for your approval/);
    await picture(first, `overlay-whole-${manifest}`);
    await pressButton(first, 'Approve…');
    const window = await system.eventually('the window', async () => {
      const found = (await system.firefox.bidi.tabs()).find(({ url }) => url.includes('#approval='));
      return found === undefined ? null : new FirefoxTab(system.firefox.bidi, found.context);
    });
    await window.until(() => document.querySelector('.question .primary')?.getAttribute('aria-disabled') === 'false');
    expect(existsSync(system.workspace('approved.txt'))).toBe(false);
    await window.click('.question .primary');
    await instructionIs('succeeded', 'approved.txt');
    expect(existsSync(system.workspace('approved.txt'))).toBe(true);
    await first.activate();
    await replied();
    await bothShow(/^(?!.*Waiting for your approval)/s);
  });

  it('denies an instruction, and it does not run', async () => {
    await ask(block('exec', { argv: ['touch', 'denied.txt'] }));
    await bothShow(/Waiting for your approval/);
    await pressButton(first, 'Deny');
    await instructionIs('denied', 'denied.txt');
    await bothShow(/^(?!.*Waiting for your approval)/s);
    await bothShow(/exec denied/);
    await replied();
    expect(existsSync(system.workspace('denied.txt'))).toBe(false);
  });

  it('cancels an instruction that runs', async () => {
    await ask(block('exec', { argv: ['sleep', '600'] }));
    await instructionIs('running', 'sleep');
    await bothShow(/exec runs now/);
    await pressButton(first, 'Cancel');
    await instructionIs('canceled', 'sleep');
    await bothShow(/exec canceled/);
    await replied();
  });
});
