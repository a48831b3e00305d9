import { describe, expect, it } from 'vitest';
import type { Instruction, MessageSummary } from '../../../schema/contracts/instructions.ts';
import type { RenewalJob } from '../../../schema/contracts/renewal.ts';
import { threadOf } from '../../../workers/page/panels/conversations/thread-order.ts';
import { termsWithEnds } from '../../../workers/page/panels/leadership/terms.ts';
import { kindOfLine } from '../../../workers/page/parts/patch-lines.ts';

const message = (message_id: string, received_at: number) => ({ message_id, received_at }) as MessageSummary;
const instruction = (message_id: string, index: number) => ({ message_id, index }) as Instruction;
const job = (job_id: string, created_at: number) => ({ job_id, created_at }) as RenewalJob;

describe('the thread of a conversation', () => {
  it('has messages with their instructions in order, and renewals between them, newest first', () => {
    const thread = threadOf([
      { message: message('m2', 30), instructions: [instruction('m2', 0), instruction('m2', 1)], job: null },
      { message: message('m1', 10), instructions: [], job: job('j1', 20) },
    ]);
    expect(thread.map(({ id }) => id)).toEqual(['m2', 'j1', 'm1']);
    const [newest] = thread;
    expect(newest?.kind === 'message' && newest.instructions.map(({ index }) => index)).toEqual([0, 1]);
  });
});

describe('the terms of leaders', () => {
  const term = (n: number, acquired_at: number) => ({ term: n, holder_id: 'a', holder_host: 'a', acquired_at });

  it('end where the next one begins; the one that is held lasts', () => {
    const ends = (isHeld: boolean) => termsWithEnds([term(2, 50), term(1, 10)], isHeld).map(({ ended_at }) => ended_at);
    expect(ends(true)).toEqual([null, 50]);
    expect(ends(false)).toEqual([50, 50]);
  });
});

describe('the lines of a patch', () => {
  it.each([
    ['diff --git a/x b/x', 'file'],
    ['--- a/x', 'file'],
    ['+++ b/x', 'file'],
    ['@@ -1 +1 @@', 'hunk'],
    ['+added', 'added'],
    ['-removed', 'removed'],
    [' kept', 'kept'],
  ])('%s is %s', (line, kind) => expect(kindOfLine(line)).toBe(kind));
});
