/**
 * Reads a conversation as the site gives it: the tree of the JSON interface, which has the messages of both kinds of
 * accounts, or the response to `ReadConversation` as JSON. The branch that is shown is walked from its leaf to its root.
 */
import type { SiteMessage, SiteReading } from '../facts.ts';
import { isUuid, ROOT_PARENT } from './endpoints.ts';
import { objectOf, parseJson } from './failures.ts';
import { STYLE_INLINE, STYLE_UNSPECIFIED } from './positions.ts';
import { isCompleteStop } from './stop-reasons.ts';
import { TEXT_SEPARATOR } from './timeline-texts.ts';

type Json = Readonly<Record<string, unknown>>;

/** Groups of the answer's text. Any other style, also one that is not known, is of thinking or tools. */
const TEXT_STYLES: readonly unknown[] = [
  undefined,
  'GROUP_STYLE_UNSPECIFIED',
  STYLE_UNSPECIFIED,
  'GROUP_STYLE_INLINE',
  STYLE_INLINE,
];

/** A message of any branch. */
interface Node extends SiteMessage {
  index: number;
  isEmpty: boolean;
}

export function readReading(body: string): SiteReading | null {
  const json = parseJson(body);
  return json && (readTree(json) ?? readConversation(json));
}

function readTree(json: Json): SiteReading | null {
  const { uuid, chat_messages: list, current_leaf_message_uuid: leaf } = json;
  if (!isUuid(uuid) || !Array.isArray(list)) return null;
  const nodes = list.map((one: unknown) => treeNode(objectOf(one)));
  return reading(uuid, nodes, isUuid(leaf) ? leaf : null);
}

function treeNode(message: Json | null): Node | null {
  if (!message || !isUuid(message.uuid)) return null;
  const { sender, index, content, parent_message_uuid: parent, stop_reason: stopReason } = message;
  if (sender !== 'human' && sender !== 'assistant') return null;
  const blocks = Array.isArray(content) ? content.map(objectOf) : [];
  const texts = blocks.filter((block) => block?.type === 'text').map((block) => String(block?.text ?? ''));
  // Older conversations have no blocks.
  if (blocks.length === 0 && typeof message.text === 'string') texts.push(message.text);
  const text = texts.filter((one) => one !== '').join(TEXT_SEPARATOR);
  return {
    role: sender === 'human' ? 'user' : 'assistant',
    id: message.uuid,
    parentId: isUuid(parent) && parent !== ROOT_PARENT ? parent : null,
    text,
    state: sender === 'human' ? 'final' : stateOf(stopReason),
    index: typeof index === 'number' ? index : 0,
    isEmpty: blocks.length === 0 && text === '',
  };
}

function stateOf(stopReason: unknown): SiteMessage['state'] {
  if (typeof stopReason !== 'string' || stopReason === '') return 'running';
  return isCompleteStop(stopReason) ? 'final' : 'incomplete';
}

/** `ReadConversation` by its JSON codec: lists of messages, display groups and blocks, joined by id. */
function readConversation(json: Json): SiteReading | null {
  const update = objectOf(json.update);
  const conversation = objectOf(update?.conversation);
  if (!update || !isUuid(conversation?.id)) return null;
  const groups = listOf(update.displayGroups);
  const blocks = Map.groupBy(listOf(update.contentBlocks), (block) => block.displayGroupId);
  const groupsOf = Map.groupBy(groups, (group) => group.messageId);
  const nodes = listOf(update.messages).map((message) => {
    const own = groupsOf.get(message.id) ?? [];
    const shown = own.filter(({ style }) => TEXT_STYLES.includes(style));
    const texts = shown.sort(byIndex).flatMap((group) => (blocks.get(group.id) ?? []).sort(byIndex).map(blockText));
    return conversationNode(message, texts.filter((text) => text !== '').join(TEXT_SEPARATOR), own.length === 0);
  });
  const leaf = conversation.currentLeafMessageId;
  return reading(conversation.id, nodes, isUuid(leaf) ? leaf : null);
}

function conversationNode(message: Json, text: string, isEmpty: boolean): Node | null {
  const { id, parentMessageId: parent, stopReason, isComplete, index } = message;
  const isUser = message.role === 'ROLE_USER' || message.role === 1;
  const isAssistant = message.role === 'ROLE_ASSISTANT' || message.role === 2;
  if (!isUuid(id) || !(isUser || isAssistant)) return null;
  const isFinal =
    stopReason === 'STOP_REASON_END_TURN' || stopReason === 'STOP_REASON_STOP_SEQUENCE' || stopReason === 1;
  const state = isComplete === true ? (isUser || isFinal ? 'final' : 'incomplete') : 'running';
  return {
    role: isUser ? 'user' : 'assistant',
    id,
    parentId: isUuid(parent) ? parent : null,
    text,
    state: isUser ? 'final' : state,
    index: typeof index === 'number' ? index : 0,
    isEmpty,
  };
}

/** Content of tools and of thinking has text too. */
function blockText(block: Json): string {
  const isHidden = ['displayContent', 'toolDisplayName', 'toolUseId', 'thinkingDisplay'].some((key) => key in block);
  return isHidden || typeof block.text !== 'string' ? '' : block.text;
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(objectOf).filter((one) => one !== null) : [];
}

function byIndex(a: Json, b: Json): number {
  return Number(a.index ?? 0) - Number(b.index ?? 0);
}

function reading(conversationId: string, all: readonly (Node | null)[], leafId: string | null): SiteReading | null {
  const nodes = all.filter((node) => node !== null);
  // A message that cannot be read could be any, also the one that is looked for.
  if (nodes.length < all.length) return null;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const last = nodes.reduce<Node | null>((latest, one) => (latest && latest.index > one.index ? latest : one), null);
  const branch: SiteMessage[] = [];
  const seen = new Set<string>();
  let node = byId.get(leafId ?? last?.id ?? '');
  if (!node && nodes.length > 0) return null;
  while (node && !seen.has(node.id)) {
    seen.add(node.id);
    const parent = byId.get(node.parentId ?? '');
    if (!isDivider(node, parent)) branch.push(messageOf(node, byId));
    node = parent;
  }
  return { conversationId, messages: branch.reverse() };
}

/** An empty message of the assistant after an answer marks where the messages before it were summarised. */
function isDivider(node: Node, parent: Node | undefined): boolean {
  return node.isEmpty && node.role === 'assistant' && parent?.role === 'assistant';
}

function messageOf({ role, id, parentId, text, state }: Node, byId: ReadonlyMap<string, Node>): SiteMessage {
  const parent = byId.get(parentId ?? '');
  const isAfterDivider = parent !== undefined && isDivider(parent, byId.get(parent.parentId ?? ''));
  return { role, id, parentId: isAfterDivider ? parent.parentId : parentId, text, state };
}
