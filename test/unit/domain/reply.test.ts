import { describe, expect, it } from 'vitest';
import { INGEST_STATUSES } from '../../../schema/contracts/instructions.ts';
import { isOpenMessage } from '../../../schema/domain/message-machine.ts';
import { repliesTo, replyDueAt } from '../../../schema/domain/reply.ts';

describe('the reply to a message', () => {
  it('is owed unless the message repeats another, is too old, has no instructions or was read in two ways', () => {
    const without = INGEST_STATUSES.filter((status) => !repliesTo(status));
    expect(without).toEqual([
      'capture_mismatch',
      'ignored_no_instructions',
      'duplicate_message',
      'expired',
      'duplicate_only',
    ]);
  });

  it('is due ten minutes after the message got a status in which no instruction is open', () => {
    const due = INGEST_STATUSES.filter((status) => replyDueAt(status, 1_000) === 1_000 + 600_000);
    const expected = INGEST_STATUSES.filter(repliesTo).filter((status) => !isOpenMessage(status));
    expect(due).toEqual(expected);
    expect(due).toContain('denied_only');
    expect(replyDueAt('accepted', 1_000)).toBeNull();
    expect(replyDueAt('duplicate_only', 1_000)).toBeNull();
  });
});
