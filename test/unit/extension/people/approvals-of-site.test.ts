/** Which approvals the overlay of a site gets. */
import { describe, expect, it } from 'vitest';
import { viewOfSite } from '../../../../extension/background/people/view-of-site.ts';
import { conversationOf, snapshotOf, viewOf } from './views.ts';

const approval = (instruction_id: string, change: object = {}) => ({
  instruction_id,
  local_conversation_id: `lc_of_${instruction_id}`,
  name: 'host::exec',
  display: 'argv: ["true"]',
  approval_hash: 'a'.repeat(64),
  expires_in_ms: 60_000,
  ...change,
});

/** The instructions that each site is shown as waiting, and how many it counts. */
function shown(snapshot: object, platform: 'chatgpt' | 'claude') {
  const view = viewOfSite(viewOf({ snapshot: snapshotOf(snapshot) }), platform);
  const { approvals = [], approvals_waiting } = view.snapshot ?? {};
  return { ids: approvals.map(({ instruction_id }) => instruction_id), approvals_waiting };
}

describe('the approvals in the overlay of a site', () => {
  it('are those of conversations of that site, and only they are counted', () => {
    const approvals = [approval('a', { platform: 'chatgpt' }), approval('b', { platform: 'claude' })];
    expect(shown({ approvals, approvals_waiting: 2 }, 'chatgpt')).toEqual({ ids: ['a'], approvals_waiting: 1 });
    expect(shown({ approvals, approvals_waiting: 2 }, 'claude')).toEqual({ ids: ['b'], approvals_waiting: 1 });
  });

  it('are kept apart by the open conversation where an earlier edge or agent names no platform', () => {
    const conversations = [
      conversationOf({ local_conversation_id: 'lc_of_a' }),
      conversationOf({ local_conversation_id: 'lc_of_b', platform: 'claude', conversation_id: 'k1' }),
    ];
    const snapshot = { conversations, approvals: [approval('a'), approval('b')], approvals_waiting: 2 };
    expect(shown(snapshot, 'chatgpt').ids).toEqual(['a']);
    expect(shown(snapshot, 'claude').ids).toEqual(['b']);
  });

  it('include one of which neither says where it is, so that it is missed on no site', () => {
    const snapshot = { approvals: [approval('a')], approvals_waiting: 1 };
    expect(shown(snapshot, 'chatgpt')).toEqual({ ids: ['a'], approvals_waiting: 1 });
    expect(shown(snapshot, 'claude')).toEqual({ ids: ['a'], approvals_waiting: 1 });
  });

  it('leave those in the count that the agent lists nowhere', () => {
    const approvals = [approval('a', { platform: 'claude' })];
    expect(shown({ approvals, approvals_waiting: 30 }, 'chatgpt')).toEqual({ ids: [], approvals_waiting: 29 });
  });
});
