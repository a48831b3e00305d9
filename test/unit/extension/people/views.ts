/** Views of the background page, and the texts of the extension, for tests of what people see. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Format } from '../../../../extension/overlay/format.ts';
import type { Translate } from '../../../../extension/overlay/texts.ts';
import { translator } from '../../../../extension/overlay/texts.ts';
import type { PeopleView } from '../../../../extension/people-messages.ts';
import type { BridgeSnapshot } from '../../../../schema/contracts/bridge-frames.ts';
import { SnapshotSchema } from '../../../../schema/contracts/bridge-frames.ts';

export const NOW = 1_800_000_000_000;
export const EXTENSION = join(import.meta.dirname, '../../../../extension');

export type Messages = Record<string, { message: string }>;
export function messagesOf(language: 'en' | 'zh_CN'): Messages {
  return JSON.parse(readFileSync(join(EXTENSION, '_locales', language, 'messages.json'), 'utf8')) as Messages;
}

/** As `browser.i18n` does it. */
export function getMessage(messages: Messages, key: string, args: readonly string[] = []): string {
  return (messages[key]?.message ?? '').replace(/\$(\d)/g, (_all, place) => args[Number(place) - 1] ?? '');
}

export function english(): Translate {
  const messages = messagesOf('en');
  return translator({ getMessage: (key, args) => getMessage(messages, key, args) });
}

/** Times that are the same on every machine. */
export const FORMAT: Format = {
  clock: (at) => new Date(at).toISOString().slice(11, 16),
  span: (ms) => `${Math.round(ms / 1_000)} s`,
};

export function snapshotOf(change: object = {}): BridgeSnapshot {
  return SnapshotSchema.parse({
    system: { mode: 'running', version: 1, hold: false },
    edge_connected: true,
    conversations: [conversationOf()],
    browser: {
      instruction_ingest: { last_ingest: null, last_execute: null, recent_ingests: [], recent_executes: [] },
      clients: [],
    },
    ...change,
  });
}

export function conversationOf(change: object = {}): object {
  return {
    platform: 'chatgpt',
    conversation_id: 'c1',
    local_conversation_id: 'lc_1',
    automation_status: 'auto',
    pause_reason: null,
    ...change,
  };
}

export function viewOf(change: Partial<PeopleView> = {}): PeopleView {
  return {
    version: '0.1.0',
    connection: { state: 'connected', reason: null, retryAt: null, since: NOW, agentUrl: 'http://127.0.0.1:4317' },
    snapshot: snapshotOf(),
    snapshotAt: NOW,
    queue: { messages: 0, oldestAt: null, isFull: false },
    setAside: 0,
    drift: [],
    lines: [],
    deliveries: [],
    sites: [],
    helped: [],
    notices: true,
    ...change,
  };
}
