/**
 * The conversation that the demo plays. Each chapter acts as a browser or a person and returns its evidence: files on
 * disk, the edge's journal, the text that was delivered. The end-to-end test of the demo asserts on the same evidence.
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

/** The policy of the demo's host: it allows one argv and denies one tool. */
export const DEMO_POLICY = {
  exec: { default: 'deny', rules: [{ match: { argv: ['echo', '*'] }, decision: 'allow' }], shell: 'deny' },
  tools: { 'files/write': 'allow', 'files/read': 'deny' },
};

export interface Scene {
  client: BridgeClient;
  api: EdgeApi;
  workspace: string;
  /** Runs a command of `conductor`; resolves with its standard output. */
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
    block('@conductor::exec::{"argv": ["echo",]}'),
    block('@conductor::files/read::{"path": "hello.txt"}'),
  ].join('\n\n'),
};

/** The browser reports a finished message of the assistant; resolves when the agent has stored it. */
export async function sendMessage(scene: Scene, message: { id: string; text: string }): Promise<void> {
  const request_id = `message-${message.id}-${crypto.randomUUID()}`;
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

/** The browser receives a delivery and reports success, with HTTP status 200 of the platform as evidence. */
async function acceptDelivery(scene: Scene): Promise<ProxyDelivery> {
  const delivery = await scene.client.next('browser.proxy_delivery', () => true, WAIT_MS);
  scene.client.answer(delivery);
  return delivery;
}

/** Waits until the edge has the message in a state that meets the condition. */
function waitForMessage(scene: Scene, id: string, condition: (message: Message) => boolean): Promise<Message> {
  return eventually(`the message ${id}`, WAIT_MS, async () => {
    const { items } = await scene.api.get('/v1/messages', pageOf(MessageSummarySchema));
    const found = items.find((message) => message.assistant_message_id === id);
    return found && condition(found) ? found : null;
  });
}
type Message = z.infer<typeof MessageSummarySchema>;

async function readInstructions(scene: Scene, messageId: string) {
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

/** A message with four blocks: a write, an allowed program, an invalid block, a denied tool. */
export async function firstMessage(scene: Scene) {
  await sendMessage(scene, FIRST);
  const delivered = await acceptDelivery(scene);
  const message = await waitForMessage(scene, FIRST.id, ({ reply_outcome }) => reply_outcome !== null);
  return {
    file: readFileSync(join(scene.workspace, 'hello.txt'), 'utf8'),
    journal: await readInstructions(scene, message.message_id),
    message,
    delivered: delivered.message_text,
  };
}

/** The same message again, after its file was removed: the file must not come back. */
export async function sameMessageAgain(scene: Scene) {
  const file = join(scene.workspace, 'hello.txt');
  rmSync(file, { force: true });
  const before = await countInstructions(scene);
  await sendMessage(scene, FIRST);
  await sendMarker(scene);
  return { before, after: (await countInstructions(scene)) - 1, file_came_back: existsSync(file) };
}

let markers = 0;
/** Sends a message of its own and waits for its reply; by then all earlier messages have been decided. */
async function sendMarker(scene: Scene): Promise<void> {
  markers += 1;
  const id = `marker-${markers}`;
  await sendMessage(scene, { id, text: block(`@conductor::exec::{"argv": ["echo", "${id}"]}`) });
  await acceptDelivery(scene);
  await waitForMessage(scene, id, ({ reply_outcome }) => reply_outcome !== null);
}

/** A person pauses the system; an instruction of the chat is blocked, and its reply says so. */
export async function blockedWhilePaused(scene: Scene) {
  const printed = await scene.conductor('pause', '--reason', 'demo', '--json');
  await sendMessage(scene, { id: 'answer-2', text: block(writeFile('blocked.txt', 'must not be written\n')) });
  const message = await waitForMessage(scene, 'answer-2', () => true);
  const delivered = await acceptDelivery(scene);
  const written = existsSync(join(scene.workspace, 'blocked.txt'));
  return {
    printed,
    message,
    journal: await readInstructions(scene, message.message_id),
    written,
    delivered: delivered.message_text,
  };
}

/** A control instruction runs in every mode; the instruction that was blocked before stays blocked. */
export async function resumedFromTheChat(scene: Scene) {
  await sendMessage(scene, { id: 'answer-3', text: block('@conductor::system/resume') });
  const delivered = await acceptDelivery(scene);
  const system = await scene.api.get('/v1/system/state', SystemStateSchema);
  return { system, written: existsSync(join(scene.workspace, 'blocked.txt')), delivered: delivered.message_text };
}

/** The conversation is set to `auto`; its next message is renewed by the Cron Trigger after the quiet period. */
export async function renewed(scene: Scene, cron: () => Promise<string>) {
  const conversation = await waitForConversation(scene);
  const printed = await scene.conductor('conversations', 'auto', conversation.local_conversation_id, '--json');
  await sendMessage(scene, { id: 'answer-4', text: 'Half of it is done. I would carry on if you let me.' });
  const message = await waitForMessage(scene, 'answer-4', () => true);
  const outcome = await cron();
  const delivery = await scene.client.next('browser.proxy_delivery', () => true, WAIT_MS);
  const before = await waitForJob(scene, message.message_id, () => true);
  scene.client.answer(delivery);
  const job = await waitForJob(scene, message.message_id, ({ status }) => status === 'done');
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
    delivered: delivery.message_text,
  };
}

function waitForConversation(scene: Scene) {
  return eventually('the conversation', WAIT_MS, async () => {
    const { items } = await scene.api.get('/v1/renewal/conversations', pageOf(ConversationSchema));
    return items.find((row) => row.remote_conversation_id === CONVERSATION) ?? null;
  });
}

type Job = z.infer<typeof RenewalJobSchema>;
function waitForJob(scene: Scene, messageId: string, condition: (job: Job) => boolean): Promise<Job> {
  return eventually(`the renewal job of ${messageId}`, WAIT_MS, async () => {
    const { items } = await scene.api.get(`/v1/renewal/jobs?message_id=${messageId}`, pageOf(RenewalJobSchema));
    return items.find(condition) ?? null;
  });
}
