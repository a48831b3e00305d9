import { describe, expect, it } from 'vitest';
import { CLAUDE_WIRE } from '../../../../../extension/sites/claude/wire.ts';
import type { DecodedEvent } from '../../../../../extension/sites/decoder.ts';
import { endEnvelope, envelope, framed } from '../../../../support/sites/claude/envelopes.ts';
import { protobuf } from '../../../../support/sites/claude/protobuf.ts';
import {
  ack,
  append,
  appendSummary,
  heartbeat,
  limit,
  overloaded,
  ROLE,
  rateLimit,
  STATUS,
  STOP,
  STYLE,
  unknownEvent,
  update,
} from '../../../../support/sites/claude/timeline.ts';
import { ANSWER, CONVERSATION, decodeAll, HUMAN, head, OLD_ANSWER, OLD_HUMAN, OTHER, RPC } from './ids.ts';

const HEAD = head({ role: 'stream', url: `${RPC}/StreamTimeline`, contentType: 'application/connect+proto' });
const REF = { conversationId: CONVERSATION, messageId: ANSWER, userMessageId: HUMAN };
const OLD_REF = { conversationId: CONVERSATION, messageId: OLD_ANSWER, userMessageId: OLD_HUMAN };

function decode(...bodies: Uint8Array[]): DecodedEvent[] {
  return decodeAll(CLAUDE_WIRE.decoder(HEAD), bodies);
}
const frames = (...payloads: Uint8Array[]) => payloads.map((payload) => envelope(payload));
const only = (type: DecodedEvent['type'], events: DecodedEvent[]) => events.filter((event) => event.type === type);

const HISTORY = {
  messages: [
    { id: OLD_HUMAN, role: ROLE.human, index: 0, isComplete: true, parentId: '' },
    {
      id: OLD_ANSWER,
      role: ROLE.assistant,
      index: 1,
      isComplete: true,
      stopReason: STOP.end_turn,
      parentId: OLD_HUMAN,
    },
  ],
  groups: [{ id: 'dgrp_old', messageId: OLD_ANSWER }],
  blocks: [{ id: 'cblk_old', groupId: 'dgrp_old', text: 'Old words' }],
};
const snapshot = update({ replaceAll: true, conversation: { id: CONVERSATION, status: STATUS.idle }, ...HISTORY });
const begun = update({
  conversation: { id: CONVERSATION, status: STATUS.running },
  messages: [
    { id: HUMAN, role: ROLE.human, index: 2, isComplete: true, parentId: OLD_ANSWER },
    { id: ANSWER, role: ROLE.assistant, index: 3, parentId: HUMAN },
  ],
  groups: [{ id: 'dgrp_1', messageId: ANSWER }],
  blocks: [{ id: 'cblk_1', groupId: 'dgrp_1', text: '' }],
});
const settled = (stopReason: number = STOP.end_turn) =>
  update({
    conversation: { id: CONVERSATION, status: STATUS.idle },
    messages: [{ id: ANSWER, isComplete: true, stopReason }],
  });

describe('The timeline of a Claude conversation', () => {
  it('gives acceptance, progress and the final answer of a turn', () => {
    const events = decode(...frames(snapshot, begun, append('cblk_1', 'Sure'), append('cblk_1', ', done.'), settled()));
    expect(events).toEqual([
      { type: 'accepted', conversationId: CONVERSATION, userMessageId: OLD_HUMAN },
      { type: 'final', answer: OLD_REF, text: 'Old words', history: true },
      { type: 'accepted', conversationId: CONVERSATION, userMessageId: HUMAN },
      { type: 'progress', answer: REF, chars: 0 },
      { type: 'progress', answer: REF, chars: 4 },
      { type: 'progress', answer: REF, chars: 11 },
      { type: 'final', answer: REF, text: 'Sure, done.', history: false },
    ]);
  });

  it('reads envelopes that are packed with gzip', () => {
    const plain = decode(...[snapshot, begun, settled()].map((payload) => envelope(payload)));
    const packed = decode(...[snapshot, begun, settled()].map((payload) => envelope(payload, { gzip: true })));
    expect(packed).toEqual(plain);
    expect(only('final', packed)).toHaveLength(2);
  });

  it('takes a close in the middle of an answer for nothing, and the snapshot of the next stream for its answer', () => {
    const first = decode(
      ...frames(snapshot, begun, append('cblk_1', 'Su')),
      endEnvelope({ metadata: { 'stream-close-reason': ['cadence'] } }),
    );
    expect(only('incomplete', first)).toEqual([]);
    const reopened = update({
      replaceAll: true,
      conversation: { id: CONVERSATION, status: STATUS.idle },
      messages: [
        ...HISTORY.messages,
        { id: HUMAN, role: ROLE.human, isComplete: true, parentId: OLD_ANSWER },
        { id: ANSWER, role: ROLE.assistant, isComplete: true, stopReason: STOP.end_turn, parentId: HUMAN },
      ],
      groups: [...HISTORY.groups, { id: 'dgrp_1', messageId: ANSWER }],
      blocks: [...HISTORY.blocks, { id: 'cblk_another', groupId: 'dgrp_1', text: 'Sure, done.' }],
    });
    const second = decode(envelope(reopened, { gzip: true }));
    expect(only('final', second)).toEqual([
      { type: 'final', answer: OLD_REF, text: 'Old words', history: true },
      { type: 'final', answer: REF, text: 'Sure, done.', history: true },
    ]);
  });

  it('gives a final without `history` when a snapshot has shown the answer in progress', () => {
    const midway = update({
      replaceAll: true,
      conversation: { id: CONVERSATION, status: STATUS.running },
      messages: [{ id: ANSWER, role: ROLE.assistant, parentId: HUMAN }],
      groups: [{ id: 'dgrp_1', messageId: ANSWER }],
      blocks: [{ id: 'cblk_9', groupId: 'dgrp_1', text: 'Su' }],
    });
    const events = decode(...frames(midway, append('cblk_9', 're'), settled()));
    expect(only('final', events)).toEqual([{ type: 'final', answer: REF, text: 'Sure', history: false }]);
  });

  it('waits for the conversation to be idle when the message is complete before', () => {
    const complete = update({ messages: [{ id: ANSWER, isComplete: true, stopReason: STOP.end_turn }] });
    const idle = update({ conversation: { id: CONVERSATION, status: STATUS.idle } });
    expect(only('final', decode(...frames(snapshot, begun, complete)))).toHaveLength(1);
    expect(only('final', decode(...frames(snapshot, begun, complete, idle)))).toHaveLength(2);
  });

  it('gives each answer as final once', () => {
    expect(only('final', decode(...frames(snapshot, begun, settled(), settled(), snapshot)))).toHaveLength(2);
  });

  it('never takes thinking or tools for the answer, and joins the texts around a tool in the order of their groups', () => {
    const withTool = update({
      groups: [
        { id: 'dgrp_3', messageId: ANSWER, index: 2 },
        { id: 'dgrp_2', messageId: ANSWER, index: 1, style: STYLE.timeline },
      ],
      blocks: [
        { id: 'cblk_3', groupId: 'dgrp_3', text: 'After.' },
        { id: 'cblk_2', groupId: 'dgrp_2', text: '```baa\n@local::tool\n```' },
        { id: 'cblk_4', groupId: 'dgrp_3', index: 1, text: 'tool output', tool: 'Bash' },
      ],
    });
    const events = decode(
      ...frames(
        snapshot,
        begun,
        append('cblk_1', 'Before.'),
        withTool,
        append('cblk_2', ' more'),
        appendSummary('cblk_1', 'Thought'),
        settled(),
      ),
    );
    expect(only('final', events).at(-1)).toMatchObject({ text: 'Before.\n\nAfter.' });
    expect(only('drift', events)).toEqual([]);
  });

  it('replaces a block when a repeat gives its place another id', () => {
    const repeat = update({ blocks: [{ id: 'cblk_new', groupId: 'dgrp_1', text: 'Whole text' }] });
    const events = decode(...frames(snapshot, begun, append('cblk_1', 'Whole'), repeat, settled()));
    expect(only('final', events).at(-1)).toMatchObject({ text: 'Whole text' });
  });

  it('never chooses the divider after a compaction, though it has the highest index', () => {
    const withDivider = update({
      conversation: { id: CONVERSATION, status: STATUS.idle },
      messages: [
        { id: ANSWER, isComplete: true, stopReason: STOP.end_turn },
        { id: OTHER, role: ROLE.assistant, index: 4, isComplete: true, stopReason: STOP.end_turn, parentId: ANSWER },
      ],
    });
    const events = decode(...frames(snapshot, begun, append('cblk_1', 'Sure'), withDivider));
    expect(events.slice(-1)).toEqual([{ type: 'final', answer: REF, text: 'Sure', history: false }]);
  });

  it.each([
    ['user_canceled', STOP.user_canceled],
    ['max_tokens', STOP.max_tokens],
    ['refusal', STOP.refusal],
    ['unknown', 99],
  ])('reports an answer that ended by %s as incomplete', (reason, stopReason) => {
    const events = decode(...frames(snapshot, begun, append('cblk_1', 'Su'), settled(stopReason)));
    expect(only('incomplete', events)).toEqual([{ type: 'incomplete', answer: REF, reason }]);
    expect(only('final', events)).toHaveLength(1);
  });

  it('reports an answer without any content as incomplete', () => {
    const empty = update({ messages: [{ id: ANSWER, role: ROLE.assistant, parentId: HUMAN }] });
    const events = decode(...frames(snapshot, empty, settled()));
    expect(events.at(-1)).toEqual({ type: 'incomplete', answer: REF, reason: 'empty' });
  });

  it('reports an answer that is complete without a stop reason as incomplete, and as final when the reason follows', () => {
    const events = decode(...frames(snapshot, begun, append('cblk_1', 'Sure'), settled(0), settled()));
    expect(events.slice(-2)).toEqual([
      { type: 'incomplete', answer: REF, reason: 'no_end_mark' },
      { type: 'final', answer: REF, text: 'Sure', history: false },
    ]);
  });

  it('reports running answers as incomplete when the conversation fails or they are deleted', () => {
    const failed = update({ conversation: { id: CONVERSATION, status: STATUS.error } });
    const deleted = update({ deletedMessages: [ANSWER] });
    expect(decode(...frames(snapshot, begun, failed)).at(-1)).toEqual({
      type: 'incomplete',
      answer: REF,
      reason: 'error',
    });
    expect(decode(...frames(snapshot, begun, deleted)).at(-1)).toEqual({
      type: 'incomplete',
      answer: REF,
      reason: 'deleted',
    });
  });

  it('hands over an answer whose beginning was in another stream, as its text here is not whole', () => {
    const resumed = decode(
      ...frames(
        append('cblk_1', 're'),
        update({ messages: [{ id: ANSWER, role: ROLE.assistant, parentId: HUMAN }] }),
        settled(),
      ),
    );
    expect(resumed.at(-1)).toEqual({ type: 'handoff', conversationId: CONVERSATION });
    expect(only('final', resumed)).toEqual([]);
    const endOnly = decode(...frames(settled()));
    expect(endOnly).toEqual([{ type: 'handoff', conversationId: CONVERSATION }]);
  });

  it('reads refusals in acknowledgements, in an update and alone', () => {
    const refusal = { type: 'invalid_request_error', code: 'stale_parent', messageId: HUMAN };
    const refused = { type: 'refused', conversationId: CONVERSATION, userMessageId: HUMAN, reason: 'stale_parent' };
    expect(decode(...frames(snapshot, ack({ refusal }))).at(-1)).toEqual(refused);
    expect(decode(...frames(snapshot, update({ acks: [{ applied: true }, { refusal }] }))).at(-1)).toEqual(refused);
    expect(decode(...frames(snapshot, ack({ refusal: { type: 'stale_parent' } }))).at(-1)).toEqual({
      ...refused,
      userMessageId: null,
    });
    expect(decode(...frames(ack({ applied: true })))).toEqual([]);
  });

  it('reports a message that the site keeps as not sent as refused', () => {
    const notSent = update({ messages: [{ id: HUMAN, role: ROLE.human, sendState: 2, parentId: '' }] });
    expect(decode(...frames(notSent))).toEqual([
      { type: 'refused', conversationId: null, userMessageId: HUMAN, reason: 'not_sent' },
    ]);
  });

  it('names no conversation for one that is temporary', () => {
    const temporary = update({
      replaceAll: true,
      conversation: { id: CONVERSATION, status: STATUS.idle, isTemporary: true },
      ...HISTORY,
    });
    expect(decode(...frames(temporary))).toEqual([
      { type: 'accepted', conversationId: null, userMessageId: OLD_HUMAN },
      { type: 'final', answer: { ...OLD_REF, conversationId: null }, text: 'Old words', history: true },
    ]);
  });

  it('reads limits, and none that is only near or paid for', () => {
    const reset = { resetsInMs: null, resetsAt: 1_795_600_000_000 };
    expect(decode(...frames(limit(3, 1_795_600_000)))).toEqual([{ type: 'limit', ...reset, reason: 'five_hour' }]);
    expect(decode(...frames(limit(1, 1_795_600_000), limit(2), limit(3, 1_795_600_000, true)))).toEqual([]);
    expect(decode(...frames(rateLimit(30)))).toEqual([
      { type: 'limit', resetsInMs: 30_000, resetsAt: null, reason: 'rate_limit_error' },
    ]);
    const failed = update({
      conversation: { id: CONVERSATION, status: STATUS.error, errorClass: 1, resetsAt: 1_795_600_000 },
    });
    expect(decode(...frames(failed))).toEqual([{ type: 'limit', ...reset, reason: 'conversation' }]);
  });

  it('reads failures of the stream', () => {
    expect(decode(...frames(overloaded()))).toEqual([{ type: 'error', reason: 'overloaded' }]);
    expect(decode(endEnvelope({ error: { code: 'unauthenticated', message: 'Words' } }))).toEqual([
      { type: 'signed_out' },
    ]);
    expect(decode(endEnvelope({ error: { code: 'internal' } }))).toEqual([{ type: 'error', reason: 'internal' }]);
  });

  it('ignores heartbeats, and names what it does not know as drift, once', () => {
    expect(decode(...frames(heartbeat(), heartbeat()))).toEqual([]);
    expect(decode(...frames(unknownEvent(77), unknownEvent(77)))).toEqual([
      { type: 'drift', what: 'timeline:event:77' },
    ]);
  });

  it.each([
    ['a message whose id is no UUID', update({ messages: [{ id: 'msg_1', role: 2 }] }), 'timeline:update:3'],
    ['a group with another prefix', update({ groups: [{ id: 'group_1', messageId: ANSWER }] }), 'timeline:update:4'],
    ['a block with another prefix', update({ blocks: [{ id: 'block_1', groupId: 'dgrp_1' }] }), 'timeline:update:5'],
    [
      'a block of an unknown group',
      update({ blocks: [{ id: 'cblk_1', groupId: 'dgrp_x' }] }),
      'timeline:block_without_group',
    ],
    [
      'an unknown style of a group',
      update({ groups: [{ id: 'dgrp_1', messageId: ANSWER, style: 7 }] }),
      'timeline:group_style:7',
    ],
    ['an unknown status', update({ conversation: { id: CONVERSATION, status: 44 } }), 'timeline:status:44'],
    ['a conversation without an id', update({ conversation: { id: '' } }), 'timeline:conversation'],
    ['an append to something else', append('xblk_1', 'text'), 'timeline:event:2'],
    ['a frame without an event', protobuf({ 5: 'other' }), 'timeline:frame'],
    ['bytes that are no protobuf', Buffer.from([0x0a, 0xff, 0xff]), 'timeline:protobuf'],
  ])('reports %s as drift', (_name, payload, what) => {
    expect(decode(envelope(payload))).toEqual([{ type: 'drift', what }]);
  });

  it('gives up on a body that is no Connect stream, and on gzip that is broken', () => {
    expect(decode(Buffer.from('<html><body>no stream</body></html>'))).toEqual([
      { type: 'opaque', reason: 'envelope_flags' },
    ]);
    expect(decode(framed(0, new Uint8Array()).fill(255, 1))).toEqual([
      { type: 'opaque', reason: 'envelope_too_large' },
    ]);
    expect(decode(framed(1, Buffer.from('not gzip')), ...frames(snapshot))).toEqual([
      { type: 'opaque', reason: 'gzip' },
    ]);
  });

  it('reads another type of content as opaque', () => {
    const other = CLAUDE_WIRE.decoder({ ...HEAD, contentType: 'application/connect+json' });
    expect(decodeAll(other, [envelope(snapshot)])).toEqual([
      { type: 'opaque', reason: 'content_type:application/connect+json' },
    ]);
  });
});
