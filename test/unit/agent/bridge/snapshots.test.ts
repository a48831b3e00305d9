/** What a browser's snapshot holds beyond modes and messages: next renewals, waits, approvals. */
import { describe, expect, it } from 'vitest';
import { SnapshotSchema } from '../../../../schema/contracts/bridge-frames.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { clientState, pageOf } from '../../../support/test-browser.ts';
import type { EdgeResponse } from './fixture.ts';
import { approvalOf, BridgeFixture, conversation } from './fixture.ts';

/** Times here are below the heartbeat of a socket, which no test browser keeps up. */
const EXPIRES_MS = 12_000;
const HASH = 'a'.repeat(64);
const NEXT = { due: false, at: 1_800_000_060_000, reason: 'cooldown' };
const COUNTERS = {
  renewals_in_row: 2,
  renewals_without_effect: 0,
  repeated_renewals: 0,
  renewals_today: 5,
  cooldown_until: null,
};

/** An edge with the conversation `c1` and the approvals of `waiting`. */
function edgeWith(waiting: readonly { id: string; display: string; platform?: string }[], next = NEXT): EdgeResponse {
  return ({ path }) => {
    if (path.startsWith('/v1/instructions?')) {
      return { items: waiting.toReversed().map(({ id }) => approvalOf(id)), next_cursor: null };
    }
    const asked = waiting.find(({ id }) => path === `/v1/instructions/${id}`);
    if (asked) {
      const approval = { display: asked.display, approval_hash: HASH, cwd: null, env_names: [], file_hashes: {} };
      const { platform } = asked;
      return { ...approvalOf(asked.id), platform, approval, approval_expires_in_ms: EXPIRES_MS, events: [] };
    }
    if (path.includes('?')) return { items: [conversation()], next_cursor: null };
    return { ...conversation(), limits: undefined, counters: COUNTERS, next_renewal: next };
  };
}

describe('next renewals in a snapshot', () => {
  it('the next renewal of an open conversation is read a moment after the browser opened it', async () => {
    const agent = await BridgeFixture.start();
    agent.edge = edgeWith([]);
    const { client } = await agent.browser();
    client.send(clientState('s1', [pageOf('c1')]));
    const first = await client.next('snapshot', ({ snapshot }) => snapshot.conversations.length > 0);
    expect(first.snapshot.conversations[0]).toMatchObject({ next_renewal: null, limits: null });
    agent.clock.advance(2_000);
    const read = await client.next('snapshot', ({ snapshot }) => snapshot.conversations[0]?.next_renewal != null);
    expect(read.snapshot.conversations[0]).toMatchObject({ next_renewal: NEXT, counters: COUNTERS });
  });

  it('a next renewal is read again when its time has come, and not before without an event', async () => {
    const agent = await BridgeFixture.start();
    const at = agent.clock.now() + 5_000;
    agent.edge = edgeWith([], { ...NEXT, at });
    const { client } = await agent.browser();
    client.send(clientState('s1', [pageOf('c1')]));
    await client.next('snapshot', ({ snapshot }) => snapshot.conversations.length > 0);
    agent.clock.advance(2_000);
    await client.next('snapshot', ({ snapshot }) => snapshot.conversations[0]?.next_renewal != null);
    const reads = () => agent.calls.filter(({ request }) => request === 'GET /v1/renewal/conversations/lc_1').length;
    const before = reads();
    agent.clock.advance(4_500);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reads()).toBe(before);
    agent.edge = edgeWith([], { due: true, at, reason: 'due' });
    agent.clock.advance(3_000);
    const due = await client.next('snapshot', ({ snapshot }) => snapshot.conversations[0]?.next_renewal?.due === true);
    expect(due.snapshot.conversations[0]?.next_renewal?.reason).toBe('due');
  });
});

describe('approvals in a snapshot', () => {
  it('waiting approvals are shown with exactly what the edge asks, the oldest first', async () => {
    const agent = await BridgeFixture.start();
    const display = 'exec\n  argv: ["rm", "a\u202eb"]\n';
    agent.edge = edgeWith([
      { id: 'ins_1', display },
      { id: 'ins_2', display: 'second' },
    ]);
    const { client } = await agent.browser();
    await agent.side.approvals.refresh();
    const { snapshot } = await client.next('snapshot', (frame) => frame.snapshot.approvals.length > 0);
    expect(snapshot).toMatchObject({
      approvals_waiting: 2,
      approvals: [
        { instruction_id: 'ins_1', name: 'host::exec', display, approval_hash: HASH, expires_in_ms: EXPIRES_MS },
        { instruction_id: 'ins_2', display: 'second' },
      ],
    });
    expect(agent.calls.every(({ token }) => token === undefined)).toBe(true);
  });

  it('an approval names the site of its conversation as the edge does, and none where an earlier edge names none', async () => {
    const agent = await BridgeFixture.start();
    agent.edge = edgeWith([
      { id: 'ins_1', display: 'first', platform: 'claude' },
      { id: 'ins_2', display: 'second' },
    ]);
    await agent.side.approvals.refresh();
    const { approvals } = agent.side.snapshots.take('firefox-1');
    expect(approvals.map(({ platform }) => platform)).toEqual(['claude', undefined]);
  });

  it('the time that passes is no change, and an expired approval is gone without a word of the edge', async () => {
    const agent = await BridgeFixture.start();
    agent.edge = edgeWith([{ id: 'ins_1', display: 'x' }]);
    const { client } = await agent.browser();
    await agent.side.approvals.refresh();
    await client.next('snapshot', ({ snapshot }) => snapshot.approvals.length === 1);
    agent.clock.advance(11_000);
    agent.side.snapshots.activityChanged();
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.untaken('snapshot')).toEqual([]);
    agent.edge = edgeWith([]);
    agent.clock.advance(1_000);
    const { snapshot } = await client.next('snapshot', (frame) => frame.snapshot.approvals.length === 0);
    expect(snapshot.approvals_waiting).toBe(0);
  });

  it('what one instruction asks is read once, however often the list is', async () => {
    const agent = await BridgeFixture.start();
    agent.edge = edgeWith([{ id: 'ins_1', display: 'x' }]);
    await agent.side.approvals.refresh();
    await agent.side.approvals.refresh();
    expect(agent.calls.filter(({ request }) => request === 'GET /v1/instructions/ins_1')).toHaveLength(1);
  });

  it('approvals beyond the limit are counted, and a text beyond it is left out rather than cut', async () => {
    const agent = await BridgeFixture.start();
    const huge = 'y'.repeat(65_000);
    agent.edge = edgeWith(
      Array.from({ length: 30 }, (_, at) => ({ id: `ins_${String(at).padStart(2, '0')}`, display: huge })),
    );
    await agent.side.approvals.refresh();
    const { approvals, approvals_waiting } = agent.side.snapshots.take('firefox-1');
    expect(approvals_waiting).toBe(30);
    expect(approvals).toHaveLength(20);
    expect(approvals.filter(({ display }) => display !== null).every(({ display }) => display === huge)).toBe(true);
    expect(JSON.stringify(approvals).length).toBeLessThan(300_000);
    expect(approvals.at(-1)?.display).toBeNull();
  });
});

describe('waits in a snapshot', () => {
  it('a reply that backs off is shown with its reason and until when', async () => {
    const agent = await BridgeFixture.start();
    agent.edge = edgeWith([]);
    const browser = await agent.browser();
    const { client } = browser;
    browser.show(pageOf('c1'));
    await client.next('snapshot', ({ snapshot }) => snapshot.conversations.length > 0);
    agent.side.delivery.enqueueReply({
      plan_id: 'plan-1',
      subject_id: 'msg_1',
      platform: 'chatgpt',
      client_id: 'firefox-1',
      conversation_id: 'c1',
      target: { client_id: 'firefox-1', ...pageOf('c1') },
      message_text: 'done',
      assistant_message_id: null,
      timeout_ms: 20_000,
    });
    await browser.delivers({ failed: true, reason: 'site_error', downstream: null });
    const isBackingOff = ({ reason }: { reason: string }) => reason === 'backoff';
    const { snapshot } = await client.next('snapshot', (frame) =>
      (frame.snapshot.conversations[0]?.waiting ?? []).some(isBackingOff),
    );
    const [wait] = snapshot.conversations[0]?.waiting ?? [];
    expect(wait).toMatchObject({ kind: 'reply', reason: 'backoff', attempt: 1 });
    expect(wait?.until).toBeGreaterThanOrEqual(agent.clock.now() + DELIVERY.retry_base_ms * 0.8);
    expect(snapshot.policy.paces).toMatchObject([{ platform: 'chatgpt', queued: 1 }]);
  });
});

describe('the system in a snapshot', () => {
  it('a pause that only a person ends is shown as held, also when the hold is reported after the mode', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    agent.system.observe('paused', 7);
    const paused = await client.next('snapshot', ({ snapshot }) => snapshot.system.version === 7);
    expect(paused.snapshot.system).toMatchObject({ mode: 'paused', hold: null, is_known: true });
    agent.system.observe('paused', 7, true);
    const held = await client.next('snapshot', ({ snapshot }) => snapshot.system.hold === true);
    expect(held.snapshot.system.version).toBe(7);
  });

  it('a snapshot of an agent that does not know the newer fields is read with defaults', () => {
    const older = {
      system: { mode: 'paused', version: 3 },
      conversations: [
        {
          platform: 'chatgpt',
          conversation_id: 'c1',
          local_conversation_id: 'lc_1',
          automation_status: 'auto',
          pause_reason: null,
        },
      ],
      browser: {
        instruction_ingest: { last_ingest: null, last_execute: null, recent_ingests: [], recent_executes: [] },
        clients: [],
      },
    };
    expect(SnapshotSchema.parse(older)).toMatchObject({
      system: { hold: null, is_known: true },
      edge_connected: null,
      notice_hours: null,
      notices_waiting: null,
      page_origin: null,
      conversations: [{ next_renewal: null, waiting: [] }],
      approvals: [],
      policy: { paces: [] },
    });
  });
});
