import { describe, expect, it } from 'vitest';
import { GEMINI } from '../../../../../extension/sites/gemini/gemini.ts';
import type { StoredTurn } from '../../../../support/sites/gemini/wire-format.ts';
import { body, readingPart, rejectedPart, TRAILER } from '../../../../support/sites/gemini/wire-format.ts';
import { eventsOf, HEX, head } from './fixture.ts';

const NEWEST: StoredTurn = {
  conversation: `c_${HEX}`,
  turn: 'r_b2',
  question: 'second?',
  answers: [{ id: 'rc_b2', text: 'two', state: 1 }],
};
const OLDEST: StoredTurn = {
  conversation: `c_${HEX}`,
  turn: 'r_a1',
  question: 'first?',
  answers: [
    { id: 'rc_a1', text: '```baa\n@host::exec {}\n```', state: 2, thoughts: 'hm' },
    { id: 'rc_a2', text: 'another draft', state: 2 },
  ],
};

const TEXT = body([[readingPart([NEWEST, OLDEST])], ...TRAILER]);
const READING = {
  conversationId: HEX,
  messages: [
    { role: 'user', id: 'r_a1', parentId: null, text: 'first?', state: 'final' },
    { role: 'assistant', id: 'rc_a1', parentId: 'r_a1', text: '```baa\n@host::exec {}\n```', state: 'final' },
    { role: 'user', id: 'r_b2', parentId: 'rc_a1', text: 'second?', state: 'final' },
    { role: 'assistant', id: 'rc_b2', parentId: 'r_b2', text: 'two', state: 'running' },
  ],
};

describe('a reading of a conversation on Gemini', () => {
  it('gives the turns oldest first, each with its first answer', () => {
    expect(GEMINI.wire.readReading(TEXT)).toEqual(READING);
  });

  it('is decoded from the response to the page as well', () => {
    const decoder = GEMINI.wire.decoder(head({ role: 'read', send: null }));
    expect(eventsOf(TEXT, { decoder, cuts: [3, 40, 41, 42] })).toEqual([{ type: 'reading', reading: READING }]);
  });

  it('takes an answer without a mark for incomplete', () => {
    const unmarked = { ...OLDEST, answers: [{ id: 'rc_a1', text: 'one', state: null }] };
    expect(GEMINI.wire.readReading(body([[readingPart([unmarked])]]))?.messages.at(-1)?.state).toBe('incomplete');
  });

  it('gives a question that has no answer yet', () => {
    const asked = { ...NEWEST, answers: [] };
    expect(GEMINI.wire.readReading(body([[readingPart([asked])]]))?.messages).toHaveLength(1);
  });

  it('looks at no other part of the batch', () => {
    const other = ['wrb.fr', 'ESY5D', JSON.stringify([[[`c_${HEX}`, 'r_ff']]])];
    expect(GEMINI.wire.readReading(body([[other]]))).toBeNull();
  });

  it('is an error when the site refuses it, and drift when its shape is unknown', () => {
    const decoder = () => GEMINI.wire.decoder(head({ role: 'read', send: null }));
    expect(eventsOf(body([[rejectedPart('hNvQHb')]]), { decoder: decoder() })).toEqual([
      { type: 'error', reason: 'read_status_7' },
    ]);
    expect(eventsOf(body([[['wrb.fr', 'hNvQHb', '[]']]]), { decoder: decoder() })).toEqual([
      { type: 'drift', what: 'gemini_reading' },
    ]);
    expect(GEMINI.wire.readReading('<html>sign in</html>')).toBeNull();
  });
});
