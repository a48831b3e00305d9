import { describe, expect, it } from 'vitest';
import { INGEST_STATUSES } from '../../../schema/contracts/instructions.ts';
import { repliesTo } from '../../../schema/domain/reply.ts';

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
});
