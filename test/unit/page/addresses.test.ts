import { describe, expect, it } from 'vitest';
import { ADDRESSES, addressesFor } from '../../../workers/page/panels/registry.ts';
import { addressOfId } from '../../../workers/page/shell/id-address.ts';
import { matchAddress } from '../../../workers/page/shell/match-address.ts';
import { isAt } from '../../../workers/page/shell/navigation.tsx';

const ULID = '01m8bfetshe608st7geceyvt5g';

describe('the addresses of the page', () => {
  it('lead to a panel with the id of its object', () => {
    expect(matchAddress('/', ADDRESSES)?.address.name).toBe('nav_now');
    expect(matchAddress(`/tasks/task_${ULID}`, ADDRESSES)).toMatchObject({ id: `task_${ULID}` });
    expect(matchAddress('/tasks/', ADDRESSES)).toMatchObject({ address: { name: 'nav_tasks' }, id: '' });
    expect(matchAddress('/browsers/a%2Fb', ADDRESSES)).toMatchObject({ id: 'a/b' });
  });

  it.each(['/nothing', '/tasks/a/b', '/browsers/%E0%A4%A'])('lead nowhere for %s', (path) => {
    expect(matchAddress(path, ADDRESSES)).toBeNull();
  });

  it('of the operator are absent for other roles', () => {
    for (const path of ['/tokens', '/audit']) {
      expect(matchAddress(path, addressesFor('browser_admin')), path).toBeNull();
      expect(matchAddress(path, addressesFor('ops_admin')), path).not.toBeNull();
    }
  });

  it('are found by an id, also inside other text', () => {
    expect(addressOfId(` ins_${ULID} `)).toBe(`/instructions/ins_${ULID}`);
    expect(addressOfId(`{"task_id":"task_${ULID}"}`)).toBe(`/tasks/task_${ULID}`);
    expect(addressOfId(`tok_${ULID}`)).toBe(`/tokens#tok_${ULID}`);
    expect(addressOfId(`grant_${ULID}`)).toBe(`/grants#grant_${ULID}`);
    expect(addressOfId('ins_short')).toBeNull();
    expect(addressOfId(`cmd_${ULID}`)).toBeNull();
  });

  it('mark the panel that they belong to', () => {
    expect([isAt('/tasks/x', '/tasks'), isAt('/tasksx', '/tasks'), isAt('/tasks', '/'), isAt('/', '/')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect([isAt('/runs/x', '/tasks'), isAt('/grants', '/instructions'), isAt('/messages/x', '/tasks')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
