import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gunzipBounded } from '../../../../../extension/sites/claude/gunzip.ts';
import { ProtoMessage } from '../../../../../extension/sites/claude/protobuf.ts';
import { CLAUDE_WIRE } from '../../../../../extension/sites/claude/wire.ts';
import { growth } from '../../../../support/growth.ts';
import {
  blockStart,
  messageDelta,
  messageStart,
  messageStop,
  sse,
  textDelta,
} from '../../../../support/sites/claude/completion.ts';
import { endEnvelope, envelope, framed } from '../../../../support/sites/claude/envelopes.ts';
import { protobuf, varint } from '../../../../support/sites/claude/protobuf.ts';
import { append, heartbeat, ROLE, STATUS, sendAction, update } from '../../../../support/sites/claude/timeline.ts';
import { ANSWER, CONVERSATION, CONVERSATIONS, chunksOf, decodeAll, HUMAN, head, RPC, SEND } from './ids.ts';

const TIMELINE = head({ role: 'stream', url: `${RPC}/StreamTimeline`, contentType: 'application/connect+proto' });
const COMPLETION = head({
  url: `${CONVERSATIONS}/${CONVERSATION}/completion`,
  contentType: 'text/event-stream',
  send: SEND,
});
const HEADS = [
  TIMELINE,
  COMPLETION,
  head({ url: `${RPC}/PerformAction`, contentType: 'application/proto', send: SEND }),
  head({ role: 'read', url: `${CONVERSATIONS}/${CONVERSATION}`, contentType: 'application/json' }),
  head({ role: 'account', url: 'https://claude.ai/api/account', contentType: 'application/json' }),
  head({
    url: `${CONVERSATIONS}/${CONVERSATION}/completion`,
    status: 429,
    contentType: 'application/json',
    send: SEND,
  }),
];
const bytes = () => fc.uint8Array({ maxLength: 400 });
const cuts = () => fc.array(fc.nat(5000), { maxLength: 30 });
const words = () => fc.string({ unit: 'grapheme', maxLength: 20 });

/** A turn with these texts; each frame is packed or not. */
function turn(texts: readonly string[], isPacked: (frame: number) => boolean): Uint8Array {
  const frames = [
    update({
      replaceAll: true,
      conversation: { id: CONVERSATION, status: STATUS.running },
      messages: [
        { id: HUMAN, role: ROLE.human, isComplete: true, parentId: '' },
        { id: ANSWER, role: ROLE.assistant, parentId: HUMAN },
      ],
      groups: [{ id: 'dgrp_1', messageId: ANSWER }],
      blocks: [{ id: 'cblk_1', groupId: 'dgrp_1' }],
    }),
    ...texts.flatMap((text) => [append('cblk_1', text), heartbeat()]),
    update({
      conversation: { id: CONVERSATION, status: STATUS.idle },
      messages: [{ id: ANSWER, isComplete: true, stopReason: 1 }],
    }),
  ];
  return Buffer.concat([...frames.map((frame, at) => envelope(frame, { gzip: isPacked(at) })), endEnvelope({})]);
}

describe('The decoders of claude.ai', () => {
  it('give the same events of a timeline for any chunking and any packing', () => {
    fc.assert(
      fc.property(fc.array(words(), { maxLength: 12 }), cuts(), fc.nat(), (texts, places, mask) => {
        const whole = decodeAll(CLAUDE_WIRE.decoder(TIMELINE), [turn(texts, () => false)]);
        const body = turn(texts, (frame) => (mask >> (frame % 31)) % 2 === 1);
        expect(decodeAll(CLAUDE_WIRE.decoder(TIMELINE), chunksOf(body, places))).toEqual(whole);
        expect(whole.at(-1)).toMatchObject({ type: 'final', text: texts.join('') });
      }),
    );
  });

  it('give the same events of a completion for any chunking', () => {
    fc.assert(
      fc.property(fc.array(words(), { maxLength: 12 }), cuts(), fc.boolean(), (texts, places, isCrlf) => {
        const events = [messageStart(ANSWER, HUMAN), blockStart(0), ...texts.map((text) => textDelta(0, text))];
        const all = [...events, messageDelta('end_turn'), messageStop()];
        const body = (newline: '\n' | '\r\n') => Buffer.from(all.map((event) => sse(event, { newline })).join(''));
        const whole = decodeAll(CLAUDE_WIRE.decoder(COMPLETION), [body('\n')]);
        const cut = decodeAll(CLAUDE_WIRE.decoder(COMPLETION), chunksOf(body(isCrlf ? '\r\n' : '\n'), places));
        expect(cut).toEqual(whole);
        expect(whole.at(-1)).toMatchObject({ type: 'final', text: texts.join('') });
      }),
    );
  });

  it('never throw, for any bytes', () => {
    const anything = fc.oneof(
      bytes(),
      bytes().map((one) => framed(one[0] ?? 0, one)),
      bytes().map((one) => envelope(protobuf({ 1: { 1: one, 2: one, 3: one, 4: one, 5: one } }), { gzip: true })),
      bytes().map((one) => envelope(update({ blocks: [{ id: 'cblk_x', groupId: 'dgrp_x', text: String(one) }] }))),
      fc.json().map((json) => Buffer.from(`event: message_start\ndata: ${json}\n\n`)),
      fc.json().map((json) => Buffer.from(json)),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 6 }), fc.boolean(), (chunks, isBroken) => {
        for (const one of HEADS) decodeAll(CLAUDE_WIRE.decoder(one), chunks, isBroken);
        for (const url of [HEADS[2]?.url, HEADS[1]?.url]) {
          if (url)
            for (const chunk of chunks) CLAUDE_WIRE.readSend({ method: 'POST', url }, { kind: 'bytes', bytes: chunk });
        }
      }),
    );
  });

  it('read sends whose bytes are damaged without throwing, and never as another conversation', () => {
    const url = new URL(`${RPC}/PerformAction`);
    const good = sendAction({
      conversationId: CONVERSATION,
      messageId: HUMAN,
      assistantMessageId: ANSWER,
      text: 'hello',
    });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (place, byte) => {
        const damaged = Buffer.from(good);
        damaged[place] = byte;
        const send = CLAUDE_WIRE.readSend({ method: 'POST', url }, { kind: 'bytes', bytes: damaged });
        if (send && send !== 'no_send') expect(send.conversationId).toMatch(/^[0-9a-f-]{36}$/);
      }),
    );
  });
});

describe('Reading protobuf without a schema', () => {
  it('gives back what was written', () => {
    const numbers = fc.oneof(fc.nat(), fc.integer(), fc.maxSafeInteger());
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 536_870_911 }), numbers, words(), (field, number, text) => {
        expect(ProtoMessage.read(protobuf({ [field]: number }))?.number(field)).toBe(number);
        expect(ProtoMessage.read(protobuf({ [field]: text }))?.text(field)).toBe(text);
        const nested = protobuf({ [field]: [{ 1: text }, { 2: number }] });
        expect(ProtoMessage.read(nested)?.message(field)?.text(1)).toBe(text);
        expect(ProtoMessage.read(nested)?.messages(field)[1]?.number(2)).toBe(number);
      }),
    );
  });

  it.each([
    ['a varint that is cut off', Buffer.from([0x08, 0xff])],
    ['a varint of eleven bytes', Buffer.concat([Buffer.from([0x08]), Buffer.alloc(10, 0x80), Buffer.from([1])])],
    ['a length over the bytes that follow', Buffer.concat([Buffer.from([0x0a]), varint(2 ** 50)])],
    ['a length that is negative', Buffer.concat([Buffer.from([0x0a]), varint(-1)])],
    ['a fixed number that is cut off', Buffer.from([0x09, 1, 2, 3])],
    ['a group', Buffer.from([0x0b, 0x0c])],
    ['the field zero', Buffer.from([0x02, 0x00])],
    ['more fields than the bound', Buffer.alloc(1_000_000, Buffer.from([0x08, 0x01]))],
  ])('gives null for %s', (_name, body) => {
    expect(ProtoMessage.read(body)).toBeNull();
  });
});

describe('Unpacking gzip', () => {
  it('gives back what was packed, also in several members', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20_000 }), { minLength: 1, maxLength: 4 }), (parts) => {
        const packed = Buffer.concat(parts.map((part) => gzipSync(part)));
        expect(Buffer.from(gunzipBounded(packed, 100_000) ?? [])).toEqual(Buffer.concat(parts));
      }),
    );
  });

  it('gives null over the bound, when cut off, when damaged, and for a header without end', () => {
    const packed = gzipSync(Buffer.alloc(50_000_000));
    expect(gunzipBounded(packed, 1_000_000)).toBeNull();
    expect(gunzipBounded(gzipSync(Buffer.from('hello')).subarray(0, -10), 1_000_000)).toBeNull();
    expect(gunzipBounded(Buffer.from('hello'), 1_000_000)).toBeNull();
    // A file name that never ends.
    const header = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.alloc(8_000_000, 0x61)]);
    expect(gunzipBounded(header, 1_000_000)).toBeNull();
  });
});

describe('The time of decoding', () => {
  /** The snapshot of a turn. */
  const begun = () => {
    const body = Buffer.from(turn([], () => false));
    return body.subarray(0, 5 + body.readUInt32BE(1));
  };

  it.each<[string, (size: number) => Uint8Array[]]>([
    [
      'many appends',
      (size) => [Buffer.concat([begun(), ...Array.from({ length: size }, () => envelope(append('cblk_1', 'word ')))])],
    ],
    [
      'one byte at a time',
      (size) =>
        [...Buffer.concat([begun(), envelope(append('cblk_1', 'x'.repeat(size * 16)))])].map((one) =>
          Uint8Array.of(one),
        ),
    ],
    [
      'one block that is repeated',
      (size) =>
        Array.from({ length: size }, () =>
          envelope(
            update({
              groups: [{ id: 'dgrp_1', messageId: ANSWER }],
              blocks: [{ id: 'cblk_1', groupId: 'dgrp_1', text: 'x' }],
            }),
          ),
        ),
    ],
    [
      'many blocks in one group',
      (size) => [
        begun(),
        envelope(
          update({
            blocks: Array.from({ length: size }, (_, index) => ({
              id: `cblk_${index}`,
              groupId: 'dgrp_1',
              index,
              text: 'x',
            })),
          }),
        ),
      ],
    ],
    [
      'a style that changes again and again',
      (size) => [
        begun(),
        ...Array.from({ length: size }, (_, at) =>
          envelope(update({ groups: [{ id: 'dgrp_1', messageId: ANSWER, style: (at % 2) + 1 }] })),
        ),
      ],
    ],
  ])('grows with the bytes for %s', (_name, bodyOf) => {
    const prepare = (size: number) => {
      const bytes = bodyOf(size);
      return () => {
        decodeAll(CLAUDE_WIRE.decoder(TIMELINE), bytes);
      };
    };
    // Sixteen times the bytes take about 16 times as long when work is linear, 256 times when it is quadratic.
    const LIMIT = 90;
    expect(growth(prepare, [2_000, 32_000], LIMIT)).toBeLessThan(LIMIT);
  });
});
