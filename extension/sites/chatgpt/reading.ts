/**
 * A conversation as the site reports it: the newest turns as a list, or, from the older endpoint, all messages as a tree.
 * In both the current branch is walked from `current_node` to its beginning; other versions of a message are left out.
 */
import { z } from 'zod';
import type { SiteMessage, SiteReading } from '../facts.ts';
import { withoutCitations } from './citations.ts';
import { conversationIdOf } from './endpoints.ts';
import type { Message } from './message.ts';
import { answerState, MessageSchema, roleOfMessage, textOf } from './message.ts';
import { jsonOf } from './refusal.ts';

const NodeSchema = z.object({
  id: z.string().nullish(),
  message: z.unknown().optional(),
  parent: z.string().nullish(),
  parent_id: z.string().nullish(),
});
const ReadingSchema = z.object({
  id: z.string().nullish(),
  conversation_id: z.string().nullish(),
  current_node: z.string(),
  messages: z.array(z.unknown()).nullish(),
  mapping: z.record(z.string(), z.unknown()).nullish(),
});

interface Entry {
  parent: string | null;
  message: Message | null;
}

/** Null when the body is not one that is known. */
export function readReading(body: string): SiteReading | null {
  const { data } = ReadingSchema.safeParse(jsonOf(body));
  const conversationId = conversationIdOf(data?.conversation_id ?? data?.id);
  if (!data || conversationId === null) return null;
  const entries = data.messages ? entriesOfList(data.messages) : entriesOfTree(data.mapping ?? {});
  if (!entries.has(data.current_node)) return null;
  return { conversationId, messages: siteMessages(branchOf(entries, data.current_node)) };
}

/** Where the list does not say what a message follows, it follows the one before it. */
function entriesOfList(list: readonly unknown[]): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  let before: string | null = null;
  for (const item of list) {
    const node = NodeSchema.safeParse(item).data;
    const message = MessageSchema.safeParse(node?.message ?? item).data ?? null;
    const id: string | undefined = message?.id ?? node?.id ?? undefined;
    if (id === undefined) continue;
    entries.set(id, { parent: node?.parent ?? node?.parent_id ?? message?.metadata?.parent_id ?? before, message });
    before = id;
  }
  return entries;
}

function entriesOfTree(mapping: Record<string, unknown>): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const [id, item] of Object.entries(mapping)) {
    const node = NodeSchema.safeParse(item).data;
    const message = MessageSchema.safeParse(node?.message).data ?? null;
    entries.set(id, { parent: node?.parent ?? null, message });
  }
  return entries;
}

/** The messages from the beginning to `last`. Each is visited once, so a circle ends the walk. */
function branchOf(entries: ReadonlyMap<string, Entry>, last: string): Message[] {
  const branch: Message[] = [];
  const seen = new Set<string>();
  for (let id: string | null = last; id !== null && !seen.has(id); ) {
    seen.add(id);
    const entry = entries.get(id);
    if (entry?.message) branch.push(entry.message);
    id = entry?.parent ?? null;
  }
  return branch.reverse();
}

function siteMessages(branch: readonly Message[]): SiteMessage[] {
  const messages: SiteMessage[] = [];
  for (const [index, message] of branch.entries()) {
    const role = roleOfMessage(message);
    if (role === null || (role === 'assistant' && isPassed(message, index === branch.length - 1))) continue;
    const before = messages.at(-1);
    const state = role === 'user' ? 'final' : stateAfter(message, before);
    const text = role === 'user' ? textOf(message) : withoutCitations(textOf(message)).text;
    messages.push({ role, id: message.id, parentId: before?.id ?? null, text, state });
  }
  return messages;
}

/** A message without a channel that others of its turn follow was no answer. */
function isPassed({ channel, end_turn: endTurn }: Message, isLast: boolean): boolean {
  return channel == null && endTurn !== true && !isLast;
}

/** What follows a cut answer at once is the rest of it, and no answer by itself. */
function stateAfter(message: Message, before: SiteMessage | undefined): SiteMessage['state'] {
  const { state } = answerState(message);
  return before?.role === 'assistant' && before.state !== 'final' ? 'incomplete' : state;
}
