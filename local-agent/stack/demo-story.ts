/**
 * The conversation that the demo plays. Each chapter does something as a browser or a person would and returns the
 * evidence, read from where it must be: the disk, the edge's journal, the text that was delivered. It is also a test.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { ProxyDelivery } from '../../schema/contracts/bridge-frames.ts';
import { pageOf } from '../../schema/contracts/common.ts';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import {
  InstructionDetailSchema,
  InstructionSchema,
  MessageSummarySchema,
} from '../../schema/contracts/instructions.ts';
import { RenewalJobSchema } from '../../schema/contracts/renewal.ts';
import { SystemStateSchema } from '../../schema/contracts/system.ts';
import { TickSchema } from '../../schema/contracts/ticks.ts';
import type { BridgeClient } from './bridge-client.ts';
import type { EdgeApi } from './edge-api.ts';
import { eventually } from './edge-api.ts';

export const CLIENT_ID = 'firefox-demo';
export const ORIGIN = 'moz-extension://3f1b7c1e-5a0e-4c39-9d3b-0b8f6a2d4c11';
const CONVERSATION = 'demo-conversation';
const PAGE = {
  platform: 'claude',
  conversation_id: CONVERSATION,
  page_url: `https://claude.ai/chat/${CONVERSATION}`,
  page_title: 'A demo',
  tab_id: 17,
  shell_page: false,
} as const;
const WAIT_MS = 30_000;

/** The policy of the demo's host: one argv allowed, one tool denied. */
export const DEMO_POLICY = {
  exec: { default: 'deny', rules: [{ match: { argv: ['echo', '*'] }, decision: 'allow' }], shell: 'deny' },
  tools: { 'files/write': 'allow', 'files/read': 'deny' },
};

export interface Scene {
  client: BridgeClient;
  api: EdgeApi;
  workspace: string;
  /** Runs a command of `conductor` as a person would; returns what it printed. */
  conductor(...args: string[]): Promise<string>;
}

function block(...lines: string[]): string {
  return ['```baa', ...lines, '```'].join('\n');
}

function writeFile(path: string, content: string): string {
  return `@conductor::files/write::${JSON.stringify({ path, content })}`;
}

const FIRST = {
  id: 'answer-1',
  text: [
    'I will do four things.',
    block(writeFile('hello.txt', 'written by an assistant\n')),
    block('@conductor::exec::{"argv": ["echo", "hello from the host"]}'),
    block('@conductor::exec::{"argv": ["echo", }'),
    block('@conductor::files/read::{"path": "hello.txt"}'),
  ].join('\n\n'),
};

/** The browser shows a finished answer of the assistant; resolves when the agent has it on disk. */
export async function say(scene: Scene, message: { id: string; text: string }): Promise<void> {
  const request_id = `say-${message.id}-${crypto.randomUUID()}`;
  const acknowledged = scene.client.next('message_ack', (frame) => frame.request_id === request_id);
  scene.client.send({
    type: 'browser.final_message',
    request_id,
    client_id: CLIENT_ID,
    ...PAGE,
    assistant_message_id: message.id,
    raw_text: message.text,
    role: 'assistant',
    observed_at: Date.now(),
    capture: { source: 'network', other: 'agrees' },
  });
  await acknowledged;
}

/** The browser is asked to send something and does, with the platform's own 200 as evidence. */
async function reply(scene: Scene): Promise<ProxyDelivery> {
  const asked = await scene.client.next('browser.proxy_delivery', () => true, WAIT_MS);
  scene.client.answer(asked);
  return asked;
}

/** The message as the edge has it, once `settled` says that it has come to its end. */
function messageOf(scene: Scene, id: string, settled: (message: Message) => boolean): Promise<Message> {
  return eventually(`the message ${id}`, WAIT_MS, async () => {
    const { items } = await scene.api.get('/v1/messages', pageOf(MessageSummarySchema));
    const found = items.find((message) => message.assistant_message_id === id);
    return found && settled(found) ? found : null;
  });
}
type Message = z.infer<typeof MessageSummarySchema>;

async function journalOf(scene: Scene, messageId: string) {
  const { items } = await scene.api.get(`/v1/instructions?message_id=${messageId}`, pageOf(InstructionSchema));
  const details = items.map((row) => scene.api.get(`/v1/instructions/${row.instruction_id}`, InstructionDetailSchema));
  return (await Promise.all(details)).sort((a, b) => a.index - b.index);
}

function countInstructions(scene: Scene): Promise<number> {
  return scene.api.get('/v1/instructions?limit=200', pageOf(InstructionSchema)).then(({ items }) => items.length);
}

export async function openTab(scene: Scene): Promise<void> {
  const request_id = `tabs-${crypto.randomUUID()}`;
  scene.client.send({
    type: 'browser.client_state',
    request_id,
    tabs: [{ ...PAGE, observed_at: Date.now() }],
    logins: [{ platform: PAGE.platform, login: 'fresh', fingerprint: null }],
    request_hooks: [],
  });
}

/** Four blocks: a write, an allowed program, a broken one, a denied tool. */
export async function firstMessage(scene: Scene) {
  await say(scene, FIRST);
  const delivered = await reply(scene);
  const message = await messageOf(scene, FIRST.id, ({ reply_outcome }) => reply_outcome !== null);
  return {
    file: readFileSync(join(scene.workspace, 'hello.txt'), 'utf8'),
    journal: await journalOf(scene, message.message_id),
    message,
    delivered: delivered.message_text,
  };
}

/** The same message again: the file, removed before, must not come back. */
export async function sameMessageAgain(scene: Scene) {
  const file = join(scene.workspace, 'hello.txt');
  rmSync(file, { force: true });
  const before = await countInstructions(scene);
  await say(scene, FIRST);
  await marker(scene);
  return { before, after: (await countInstructions(scene)) - 1, file_came_back: existsSync(file) };
}

let markers = 0;
/** A message behind the one in question: when it is answered, everything before it has been decided. */
async function marker(scene: Scene): Promise<void> {
  markers += 1;
  const id = `marker-${markers}`;
  await say(scene, { id, text: block(`@conductor::exec::{"argv": ["echo", "${id}"]}`) });
  await reply(scene);
  await messageOf(scene, id, ({ reply_outcome }) => reply_outcome !== null);
}

/** The system is paused by a person; what a chat asks for is blocked, and answered. */
export async function blockedWhilePaused(scene: Scene) {
  const printed = await scene.conductor('pause', '--reason', 'demo', '--json');
  await say(scene, { id: 'answer-2', text: block(writeFile('blocked.txt', 'must not be written\n')) });
  const message = await messageOf(scene, 'answer-2', () => true);
  const delivered = await reply(scene);
  const written = existsSync(join(scene.workspace, 'blocked.txt'));
  return {
    printed,
    message,
    journal: await journalOf(scene, message.message_id),
    written,
    delivered: delivered.message_text,
  };
}

/** A control instruction passes in every mode; what was blocked before stays blocked. */
export async function resumedFromTheChat(scene: Scene) {
  await say(scene, { id: 'answer-3', text: block('@conductor::system/resume') });
  const delivered = await reply(scene);
  const system = await scene.api.get('/v1/system/state', SystemStateSchema);
  return { system, written: existsSync(join(scene.workspace, 'blocked.txt')), delivered: delivered.message_text };
}

/** The conversation is set to `auto`; its next message settles and is renewed by the Cron path. */
export async function renewed(scene: Scene, cron: () => Promise<string>) {
  const conversation = await conversationOf(scene);
  const printed = await scene.conductor('conversations', 'auto', conversation.local_conversation_id, '--json');
  await say(scene, { id: 'answer-4', text: 'Half of it is done. I would carry on if you let me.' });
  const message = await messageOf(scene, 'answer-4', () => true);
  const outcome = await cron();
  const asked = await scene.client.next('browser.proxy_delivery', () => true, WAIT_MS);
  const before = await jobOf(scene, message.message_id, () => true);
  scene.client.answer(asked);
  const job = await jobOf(scene, message.message_id, ({ status }) => status === 'done');
  const { items } = await scene.api.get('/v1/timed-jobs/ticks?limit=50', pageOf(TickSchema));
  const stages = items
    .toReversed()
    .flatMap(({ entries }) => entries)
    .filter((entry) => entry.job_id === job.job_id)
    .map(({ stage }) => stage);
  return {
    printed,
    cron_outcome: outcome,
    status_before_the_result: before.status,
    job,
    stages,
    ticks: items,
    delivered: asked.message_text,
  };
}

function conversationOf(scene: Scene) {
  return eventually('the conversation', WAIT_MS, async () => {
    const { items } = await scene.api.get('/v1/renewal/conversations', pageOf(ConversationSchema));
    return items.find((row) => row.remote_conversation_id === CONVERSATION) ?? null;
  });
}

type Job = z.infer<typeof RenewalJobSchema>;
function jobOf(scene: Scene, messageId: string, settled: (job: Job) => boolean): Promise<Job> {
  return eventually(`the renewal job of ${messageId}`, WAIT_MS, async () => {
    const { items } = await scene.api.get(`/v1/renewal/jobs?message_id=${messageId}`, pageOf(RenewalJobSchema));
    return items.find(settled) ?? null;
  });
}
