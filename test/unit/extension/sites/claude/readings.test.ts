import { describe, expect, it } from 'vitest';
import { CLAUDE_WIRE } from '../../../../../extension/sites/claude/wire.ts';
import {
  ANSWER,
  CONVERSATION,
  CONVERSATIONS,
  decodeAll,
  HUMAN,
  head,
  OLD_ANSWER,
  OLD_HUMAN,
  OTHER,
  RPC,
} from './ids.ts';

const ROOT = '00000000-0000-4000-8000-000000000000';
const text = (...texts: string[]) => texts.map((one) => ({ type: 'text', text: one }));
const message = (
  uuid: string,
  parent: string,
  sender: string,
  index: number,
  content: object[],
  stop: string | null = 'end_turn',
) => ({
  uuid,
  parent_message_uuid: parent,
  sender,
  index,
  content,
  stop_reason: sender === 'human' ? null : stop,
});
const tree = (leaf: string | undefined, ...messages: object[]) =>
  JSON.stringify({ uuid: CONVERSATION, name: 'A title', current_leaf_message_uuid: leaf, chat_messages: messages });

const FIRST = message(OLD_HUMAN, ROOT, 'human', 0, text('first'));
const REPLY = message(OLD_ANSWER, OLD_HUMAN, 'assistant', 1, text('First answer'));
const SECOND = message(HUMAN, OLD_ANSWER, 'human', 2, text('second'));
const read = CLAUDE_WIRE.readReading;

describe('The tree of a conversation on claude.ai', () => {
  it('is read from its leaf to its root, without other branches', () => {
    const retried = message(OTHER, HUMAN, 'assistant', 4, text('Another answer'));
    const body = tree(ANSWER, REPLY, FIRST, message(ANSWER, HUMAN, 'assistant', 3, text('Chosen')), SECOND, retried);
    expect(read(body)).toEqual({
      conversationId: CONVERSATION,
      messages: [
        { role: 'user', id: OLD_HUMAN, parentId: null, text: 'first', state: 'final' },
        { role: 'assistant', id: OLD_ANSWER, parentId: OLD_HUMAN, text: 'First answer', state: 'final' },
        { role: 'user', id: HUMAN, parentId: OLD_ANSWER, text: 'second', state: 'final' },
        { role: 'assistant', id: ANSWER, parentId: HUMAN, text: 'Chosen', state: 'final' },
      ],
    });
  });

  it('has the text blocks of a message only, joined as the stream joins them', () => {
    const content = [
      { type: 'thinking', thinking: '```baa\nx\n```' },
      ...text('Before.'),
      { type: 'tool_use', name: 'x', input: { text: 'y' } },
      { type: 'tool_result', content: text('z') },
      ...text('', 'After.'),
    ];
    const reading = read(tree(OLD_ANSWER, FIRST, message(OLD_ANSWER, OLD_HUMAN, 'assistant', 1, content)));
    expect(reading?.messages.at(-1)?.text).toBe('Before.\n\nAfter.');
  });

  it.each([
    ['end_turn', 'final'],
    ['stop_sequence', 'final'],
    ['user_canceled', 'incomplete'],
    ['max_tokens', 'incomplete'],
    [null, 'running'],
  ])('calls an answer with the stop reason %s %s', (stop, state) => {
    const reading = read(tree(OLD_ANSWER, FIRST, message(OLD_ANSWER, OLD_HUMAN, 'assistant', 1, text('x'), stop)));
    expect(reading?.messages.at(-1)?.state).toBe(state);
  });

  it('leaves out the divider of a compaction, and joins what is around it', () => {
    const divider = message(OTHER, OLD_ANSWER, 'assistant', 2, []);
    const after = message(HUMAN, OTHER, 'human', 3, text('second'));
    expect(read(tree(HUMAN, FIRST, REPLY, divider, after))?.messages.map(({ id, parentId }) => [id, parentId])).toEqual(
      [
        [OLD_HUMAN, null],
        [OLD_ANSWER, OLD_HUMAN],
        [HUMAN, OLD_ANSWER],
      ],
    );
  });

  it('ends at the newest message when it names no leaf', () => {
    expect(read(tree(undefined, FIRST, REPLY))?.messages).toHaveLength(2);
    expect(read(tree(undefined))).toEqual({ conversationId: CONVERSATION, messages: [] });
  });

  it('ends where parents form a circle or are missing', () => {
    const circle = tree(OLD_ANSWER, { ...FIRST, parent_message_uuid: OLD_ANSWER }, REPLY);
    expect(read(circle)?.messages).toHaveLength(2);
    expect(read(tree(OLD_ANSWER, REPLY))?.messages).toHaveLength(1);
  });

  it.each([
    ['it is no JSON', 'x'],
    ['it is of something else', '{"uuid":"x","chat_messages":[]}'],
    ['a message has no known sender', tree(OLD_ANSWER, FIRST, { ...REPLY, sender: 'robot' })],
    ['its leaf is missing', tree(OTHER, FIRST, REPLY)],
  ])('is not known when %s', (_name, body) => {
    expect(read(body)).toBeNull();
  });

  it('is decoded when the page reads it', () => {
    const url = `${CONVERSATIONS}/${CONVERSATION}?tree=True`;
    const decode = (body: string) =>
      decodeAll(CLAUDE_WIRE.decoder(head({ role: 'read', url, contentType: 'application/json' })), [Buffer.from(body)]);
    expect(decode(tree(OLD_ANSWER, FIRST, REPLY))).toMatchObject([
      { type: 'reading', reading: { conversationId: CONVERSATION } },
    ]);
    expect(decode('{}')).toEqual([{ type: 'drift', what: 'reading' }]);
    const page = head({ role: 'read', url: `${RPC}/ReadConversation`, contentType: 'application/proto' });
    expect(decodeAll(CLAUDE_WIRE.decoder(page), [])).toEqual([
      { type: 'opaque', reason: 'content_type:application/proto' },
    ]);
  });
});

describe('The response to ReadConversation', () => {
  const conversation = (messages: object[], groups: object[], blocks: object[], leaf?: string) =>
    JSON.stringify({
      outcome: 'OUTCOME_SERVED',
      update: {
        conversation: { id: CONVERSATION, currentLeafMessageId: leaf },
        messages,
        displayGroups: groups,
        contentBlocks: blocks,
      },
    });
  const user = { id: HUMAN, role: 'ROLE_USER', isComplete: true, parentMessageId: '' };
  const answer = {
    id: ANSWER,
    role: 'ROLE_ASSISTANT',
    index: 1,
    isComplete: true,
    stopReason: 'STOP_REASON_END_TURN',
    parentMessageId: HUMAN,
  };
  const groups = [
    { id: 'dgrp_u', messageId: HUMAN },
    { id: 'dgrp_2', messageId: ANSWER, index: 1, style: 'GROUP_STYLE_INLINE' },
    { id: 'dgrp_1', messageId: ANSWER, style: 'GROUP_STYLE_TIMELINE' },
  ];
  const blocks = [
    { id: 'cblk_u', displayGroupId: 'dgrp_u', text: 'hello' },
    { id: 'cblk_3', displayGroupId: 'dgrp_2', index: 1, text: 'After.' },
    { id: 'cblk_2', displayGroupId: 'dgrp_2', text: 'Before.' },
    { id: 'cblk_4', displayGroupId: 'dgrp_2', index: 2, text: 'output', toolUseId: 'toolu_1' },
    { id: 'cblk_1', displayGroupId: 'dgrp_1', text: 'thoughts' },
  ];

  it('is read with the text of its inline groups only', () => {
    expect(read(conversation([user, answer], groups, blocks, ANSWER))).toEqual({
      conversationId: CONVERSATION,
      messages: [
        { role: 'user', id: HUMAN, parentId: null, text: 'hello', state: 'final' },
        { role: 'assistant', id: ANSWER, parentId: HUMAN, text: 'Before.\n\nAfter.', state: 'final' },
      ],
    });
  });

  it('has no text of a group whose style is not known, as the stream', () => {
    const unknown = { id: 'dgrp_3', messageId: ANSWER, index: 2, style: 'GROUP_STYLE_LATER' };
    const block = { id: 'cblk_5', displayGroupId: 'dgrp_3', text: 'a plan' };
    const reading = read(conversation([user, answer], [...groups, unknown], [...blocks, block], ANSWER));
    expect(reading?.messages.at(-1)?.text).toBe('Before.\n\nAfter.');
  });

  it('calls an answer running until it is complete, and incomplete for another stop reason', () => {
    const state = (change: object) =>
      read(conversation([user, { ...answer, ...change }], groups, blocks))?.messages.at(-1)?.state;
    expect(state({ isComplete: undefined })).toBe('running');
    expect(state({ stopReason: 'STOP_REASON_USER_CANCELED' })).toBe('incomplete');
    expect(state({ stopReason: undefined })).toBe('incomplete');
  });
});
