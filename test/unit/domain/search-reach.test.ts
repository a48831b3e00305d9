import { describe, expect, it } from 'vitest';
import { endOfPart, listedOf } from '../../../schema/domain/search-reach.ts';

const LIMIT = 3;
const all = (oldest: string | null, read = 1) => ({ read, within: read, oldest });

describe('a part of a search', () => {
  it('covers everything when no kind has more', () => {
    expect(endOfPart([all('msg_5'), all('task_1', 2), all(null, 0)], LIMIT)).toBeNull();
  });

  it('ends where the first kind has to stop, by its rows or by its bytes', () => {
    expect(endOfPart([all('msg_5', 3), all('task_7', 3), all('ins_1')], LIMIT)).toBe('7');
    expect(endOfPart([{ read: 2, within: 1, oldest: 'msg_8' }, all('ins_1')], LIMIT)).toBe('8');
  });

  it('lists the newest of all kinds, and continues behind the last one when it has found more', () => {
    const found = [{ id: 'msg_5' }, { id: 'task_9' }, { id: 'ins_7' }];
    expect(listedOf(found, '2', 2)).toEqual({ items: [{ id: 'task_9' }, { id: 'ins_7' }], next: '7' });
    expect(listedOf(found, '2', 3).next).toBe('2');
    expect(listedOf(found, null, 3).next).toBeNull();
  });
});
