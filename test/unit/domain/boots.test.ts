import { describe, expect, it } from 'vitest';
import { admitsBoot, BOOT_ALIVE_MS } from '../../../schema/domain/boots.ts';

const NOW = 1_000_000;
const boot = (boot_id: string, previous_boot_id: string | null = null) => ({ boot_id, previous_boot_id });
const alive = { boot_id: 'b', seen_at: NOW };

describe('a boot of a node', () => {
  it.each([
    ['is admitted when no other is known', null, boot('a'), true],
    ['is admitted again, however long it lives', alive, boot('b', 'a'), true],
    ['is admitted at once as the next one of the same state folder', alive, boot('c', 'b'), true],
    ['of a new state folder is refused while another lives', alive, boot('x'), false],
    ['of a copied state folder is refused once the first one has moved on', alive, boot('x', 'a'), false],
    ['that was replaced does not come back while its successor lives', alive, boot('a'), false],
    [
      'is refused until the other was silent for three pings',
      { boot_id: 'b', seen_at: NOW - BOOT_ALIVE_MS },
      boot('x'),
      false,
    ],
    [
      'is admitted when the other was silent for longer',
      { boot_id: 'b', seen_at: NOW - BOOT_ALIVE_MS - 1 },
      boot('x'),
      true,
    ],
  ] as const)('%s', (_what, current, asking, admitted) => {
    expect(admitsBoot(current, asking, NOW)).toBe(admitted);
  });

  it('takes the node from another living one at most once: two that live never take turns', () => {
    let current = alive;
    const turns: string[] = [];
    const [first, copy] = [boot('b', 'a'), boot('x', 'b')];
    for (const asking of [copy, first, copy, first, copy]) {
      if (admitsBoot(current, asking, NOW) && current.boot_id !== asking.boot_id) {
        current = { boot_id: asking.boot_id, seen_at: NOW };
        turns.push(asking.boot_id);
      }
    }
    expect(turns).toEqual(['x']);
  });
});
