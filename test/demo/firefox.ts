/**
 * The demo in a real Firefox that `conductor firefox` has started, on fakes of the three chat sites under their real names.
 * A person writes in the page, the assistant's instructions run on this machine, and the results come back into the chat.
 * It leaves a picture of each chapter. With a display the window is visible.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { eventually } from '../../local-agent/stack/edge-api.ts';
import { createNarrator } from '../../local-agent/stack/narrator.ts';
import { pageOf } from '../../schema/contracts/common.ts';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import { InstructionDetailSchema, InstructionSchema } from '../../schema/contracts/instructions.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import type { ChatSite } from '../support/whole-path/chat-sites.ts';
import { chatgpt, claude, gemini, personWrites } from '../support/whole-path/chat-sites.ts';
import { ChatSystem } from '../support/whole-path/chat-system.ts';

const WAIT_MS = 60_000;
const WINDOW = { width: 1280, height: 800 };

interface Stage {
  system: ChatSystem;
  pictures: string;
  chapter: ReturnType<typeof createNarrator>;
}

function hasDisplay(): boolean {
  return process.platform === 'darwin' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

function block(...lines: string[]): string {
  return ['```baa', ...lines, '```'].join('\n');
}

/** The message number `index` that the site's server has received. */
function message(site: ChatSite, index: number): Promise<string> {
  return eventually(`message ${index + 1} in ${site.name}`, WAIT_MS, async () => site.received()[index] ?? null);
}

async function picture({ pictures }: Stage, tab: FirefoxTab, name: string): Promise<string> {
  const path = join(pictures, `${name}.png`);
  writeFileSync(path, await tab.screenshot());
  return path;
}

async function open({ system }: Stage, site: ChatSite): Promise<FirefoxTab> {
  const tab = await system.openTab(site.newChatUrl);
  await tab.setViewport(WINDOW.width, WINDOW.height);
  return tab;
}

/** Plays every chapter; resolves with the folder of the pictures. */
export async function playFirefoxDemo(print: (line: string) => void): Promise<string> {
  const pictures = mkdtempSync(join(tmpdir(), 'conductor-demo-pictures-'));
  const sites = { chatgpt: chatgpt('legacy', 'delta'), claude: claude('merged'), gemini: gemini() };
  print(
    styleText('dim', `starting edge, agent and Firefox ${hasDisplay() ? '' : 'without a window: there is no display'}`),
  );
  const system = await ChatSystem.start({ sites: Object.values(sites), manifest: 2, visible: hasDisplay() });
  const stage: Stage = { system, pictures, chapter: createNarrator(print) };
  try {
    stage.chapter(
      'conductor firefox has started a Firefox; its extension is installed, paired and connected',
      system.ready,
    );
    await instructionInChatgpt(stage, sites.chatgpt);
    await approvalInClaude(stage, sites.claude);
    await pauseAndRenewalInGemini(stage, sites.gemini);
  } finally {
    await system.stop();
  }
  print('');
  print(styleText('bold', `The pictures are in ${pictures}`));
  return pictures;
}

async function instructionInChatgpt(stage: Stage, site: ChatSite): Promise<void> {
  const write = '@conductor::files/write::{"path": "hello.txt", "content": "written by an assistant\\n"}';
  const run = '@conductor::exec::{"argv": ["echo", "hello from this machine"]}';
  site.assistantSays(`I write a file and run a program.\n\n${block(write)}\n\n${block(run)}\n`);
  site.assistantSays('Both are done.');
  const tab = await open(stage, site);
  await personWrites(tab, site, 'Write hello.txt and say hello');
  const reply = await message(site, 1);
  await tab.until(() => document.body.textContent?.includes('Both are done.'));
  stage.chapter(`${site.name}: an answer with two instructions. They run, and the results arrive in the chat`, {
    'workspace/hello.txt': readFileSync(join(stage.system.workspace, 'hello.txt'), 'utf8'),
    'reply that the site has received': reply,
    picture: await picture(stage, tab, '1-chatgpt'),
  });
  await tab.close();
}

async function approvalInClaude(stage: Stage, site: ChatSite): Promise<void> {
  const { api } = stage.system;
  site.assistantSays(`I look at the folder.\n\n${block('@conductor::exec::{"argv": ["ls"]}')}\n`);
  site.assistantSays('I have seen it.');
  const tab = await open(stage, site);
  await personWrites(tab, site, 'What is in the folder?');
  const waiting = await eventually('an instruction that waits for approval', WAIT_MS, async () => {
    const { items } = await api.get('/v1/instructions?limit=50', pageOf(InstructionSchema));
    return items.find(({ status }) => status === 'awaiting_approval') ?? null;
  });
  const before = await picture(stage, tab, '2-claude-waits');
  const { approval } = await api.get(`/v1/instructions/${waiting.instruction_id}`, InstructionDetailSchema);
  await stage.system.conductor(`instructions approve ${waiting.instruction_id} --hash ${approval?.approval_hash}`);
  const reply = await message(site, 1);
  stage.chapter(`${site.name}: the policy asks a person about a program. It runs only after the approval`, {
    'waited as': waiting.status,
    'reply that the site has received': reply,
    pictures: [before, await picture(stage, tab, '3-claude-approved')],
  });
  await tab.close();
}

async function pauseAndRenewalInGemini(stage: Stage, site: ChatSite): Promise<void> {
  const { system } = stage;
  site.assistantSays('Half of it is done.');
  site.assistantSays('All of it is done.');
  const tab = await open(stage, site);
  await system.conductor('pause --reason "the demo shows a pause"');
  await personWrites(tab, site, 'Do it');
  const conversation = await eventually('the conversation', WAIT_MS, async () => {
    const { items } = await system.api.get('/v1/renewal/conversations', pageOf(ConversationSchema));
    return items.find(({ platform }) => platform === site.platform) ?? null;
  });
  const paused = await picture(stage, tab, '4-gemini-paused');
  await system.conductor('resume');
  await system.conductor(`conversations auto ${conversation.local_conversation_id}`);
  const renewal = await eventually('the renewal', WAIT_MS, async () => {
    await system.stack.cron();
    return site.received()[1] ?? null;
  });
  await tab.until(() => document.body.textContent?.includes('All of it is done.'));
  stage.chapter(`${site.name}: a person pauses the system, resumes it, and lets this chat be renewed`, {
    'renewal that the site has received': renewal,
    pictures: [paused, await picture(stage, tab, '5-gemini-renewed')],
  });
}
