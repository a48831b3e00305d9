import { describe, expect, it } from 'vitest';
import { badgeOf } from '../../../../extension/background/people/badge.ts';
import { announcements } from '../../../../extension/overlay/announce.ts';
import { describeConnection, describeSystem } from '../../../../extension/overlay/describe-connection.ts';
import type { Line } from '../../../../extension/overlay/describe-conversation.ts';
import { describeConversation } from '../../../../extension/overlay/describe-conversation.ts';
import { describeApprovals, describeDone } from '../../../../extension/overlay/describe-work.ts';
import type { Text } from '../../../../extension/overlay/texts.ts';
import type { ConnectionNews } from '../../../../extension/people-messages.ts';
import { conversationOf, english, FORMAT, NOW, snapshotOf, viewOf } from './views.ts';

const t = english();
const say = (text: Text | null) => (text === null ? null : t(text));
const HERE = { platform: 'chatgpt', address: { kind: 'conversation', conversationId: 'c1' } } as const;
const HASH = 'a'.repeat(64);

function connectionIn(state: ConnectionNews['state'], retryAt: number | null = null) {
  const view = viewOf();
  return { ...view, connection: { ...view.connection, state, retryAt, reason: null } };
}

describe('the connection for a person', () => {
  it.each([
    ['unpaired', /conductor pair/],
    ['token_refused', /revoked or replaced.*conductor pair/],
    ['replaced', /copied profile/],
    ['bad_address', /http:\/\/127\.0\.0\.1:4317 is not an address on this machine/],
    ['unreachable', /npm start.*http:\/\/127\.0\.0\.1:4317/],
    ['closed', /look at the log/],
  ] as const)('%s says what to do', (state, help) => {
    const shown = describeConnection(connectionIn(state), NOW, FORMAT);
    expect(shown.tone).toBe('bad');
    expect(say(shown.help)).toMatch(help);
  });

  it('an agent that is tried again says when', () => {
    expect(say(describeConnection(connectionIn('unreachable', NOW + 9_000), NOW, FORMAT).help)).toContain('in 9 s');
  });

  it('an agent without the edge is not shown as well connected', () => {
    const view = viewOf({ snapshot: snapshotOf({ edge_connected: false }) });
    expect(describeConnection(view, NOW, FORMAT)).toMatchObject({ tone: 'wait', title: { key: 'connection_no_edge' } });
    const full = { ...connectionIn('unreachable'), queue: { messages: 500, oldestAt: NOW, isFull: true } };
    expect(say(describeConnection(full, NOW, FORMAT).help)).toContain('500 captured messages wait for the agent');
  });
});

describe('messages that are set aside', () => {
  it('are named with what a person can do', () => {
    const shown = describeConnection(viewOf({ setAside: 2 }), NOW, FORMAT);
    expect(shown.tone).toBe('bad');
    expect(say(shown.help)).toMatch(/^2 captured messages failed each time.*restart Firefox/);
  });
});

describe('the system for a person', () => {
  it.each([
    ['running', 'running', 'pause'],
    ['paused', 'paused', 'resume'],
    ['draining', 'draining', 'resume'],
  ] as const)('a system that is %s is labelled so and offers to %s', (mode, label, offers) => {
    const shown = describeSystem(viewOf({ snapshot: snapshotOf({ system: { mode, version: 2 } }) }), FORMAT);
    expect(say(shown.label)).toBe(label);
    expect(shown.offers).toBe(offers);
  });

  it('a held pause says that only a person ends it', () => {
    const snapshot = snapshotOf({ system: { mode: 'paused', version: 2, hold: true } });
    expect(say(describeSystem(viewOf({ snapshot }), FORMAT).note)).toMatch(/only a person/);
  });

  it('a mode that the edge has not reported is unknown, and nothing is offered', () => {
    const snapshot = snapshotOf({ system: { mode: 'running', version: 0, is_known: false } });
    expect(describeSystem(viewOf({ snapshot }), FORMAT)).toMatchObject({ mode: 'unknown', offers: null });
  });

  it('without a connection the mode is the last confirmed one with its time, and nothing is offered', () => {
    const shown = describeSystem(connectionIn('unreachable'), FORMAT);
    expect(say(shown.note)).toContain(FORMAT.clock(NOW));
    expect(shown.offers).toBeNull();
  });
});

describe('a conversation for a person', () => {
  it.each([
    ['new', 'conversation_new'],
    ['provisional', 'conversation_new'],
    ['temporary', 'conversation_temporary'],
    ['other', 'conversation_other_page'],
  ] as const)('a page of the kind %s says why there is nothing to control', (kind, key) => {
    const place = { platform: 'chatgpt', address: { kind, conversationId: null } } as const;
    expect(describeConversation(viewOf(), place, NOW, FORMAT)).toMatchObject({ state: 'none', why: { key } });
  });

  it('a conversation of another site with the same id is not shown', () => {
    const place = { ...HERE, platform: 'claude' } as const;
    expect(describeConversation(viewOf(), place, NOW, FORMAT)).toMatchObject({
      state: 'none',
      why: { key: 'conversation_unknown' },
    });
  });

  it('a pause names its reason, and a renewal and a reply say why they wait and until when', () => {
    const snapshot = snapshotOf({
      conversations: [
        conversationOf({
          automation_status: 'paused',
          pause_reason: 'no_progress',
          next_renewal: { due: false, at: NOW + 60_000, reason: 'quiet_hours' },
          waiting: [{ kind: 'reply', reason: 'backoff', until: NOW + 5_000, attempt: 1 }],
        }),
      ],
      policy: {
        paces: [
          {
            platform: 'chatgpt',
            reason: 'signed_out',
            until: null,
            queued: 1,
            in_flight: 0,
            stopped_reason: 'signed_out',
          },
        ],
      },
    });
    const shown = describeConversation(viewOf({ snapshot }), HERE, NOW, FORMAT);
    if (shown.state !== 'known') throw new Error('the conversation is not shown');
    expect(say(shown.pauseReason)).toBe('renewals had no effect');
    expect([
      say(shown.renewal?.text ?? null),
      say(shown.renewal?.reason ?? null),
      say(shown.renewal?.time ?? null),
    ]).toEqual(['The next renewal waits', 'quiet hours', `until ${FORMAT.clock(NOW + 60_000)} (in 60 s)`]);
    expect([say(shown.waits[0]?.text ?? null), say(shown.waits[0]?.reason ?? null)]).toEqual([
      'A reply waits',
      'waiting after a failure',
    ]);
    expect(say(shown.stopped)).toBe('signed out of the site');
  });

  it('a renewal that is being sent does not say so twice', () => {
    const next_renewal = { due: true, at: null, reason: 'being_delivered' };
    const snapshot = snapshotOf({ conversations: [conversationOf({ next_renewal })] });
    const { renewal } = describeConversation(viewOf({ snapshot }), HERE, NOW, FORMAT) as { renewal: Line };
    expect([say(renewal.text), renewal.reason]).toEqual(['A renewal is being sent', null]);
  });
});

describe('approvals for a person', () => {
  const approval = {
    instruction_id: 'ins_1',
    local_conversation_id: 'lc_1',
    name: 'host::exec',
    display: 'rm \u202e-rf\u200b \u0430.txt\n',
    approval_hash: HASH,
    expires_in_ms: 10_000,
  };
  const view = viewOf({ snapshot: snapshotOf({ approvals: [approval], approvals_waiting: 1 }) });

  it('what would run is shown with each invisible, bidirectional and look-alike character as an escape', () => {
    const [shown] = describeApprovals(view, NOW, FORMAT);
    expect(shown?.bytes).toBe('rm \\u{202e}-rf\\u{200b} \\u{430}.txt\n');
    expect(shown?.approvalHash).toBe(HASH);
  });

  it('the time left shrinks with the time since the snapshot, and an expired one is gone', () => {
    expect(say(describeApprovals(view, NOW + 4_000, FORMAT)[0]?.expires ?? null)).toBe('expires in 6 s');
    expect(describeApprovals(view, NOW + 10_000, FORMAT)).toEqual([]);
  });

  it('a text that the snapshot does not have is not shown as empty', () => {
    const snapshot = snapshotOf({ approvals: [{ ...approval, display: null }], approvals_waiting: 1 });
    expect(describeApprovals(viewOf({ snapshot }), NOW, FORMAT)[0]?.bytes).toBeNull();
  });
});

describe('the last work for a person', () => {
  const instruction_ingest = {
    last_ingest: null,
    last_execute: null,
    recent_ingests: [
      { message_id: 'm1', conversation_id: 'c1', ingest_status: 'system_paused', at: NOW },
      { message_id: 'm2', conversation_id: 'c2', ingest_status: 'executed', at: NOW },
    ],
    recent_executes: [
      { instruction_id: 'i1', name: 'host::exec', status: 'running', duration_ms: null, at: NOW },
      { instruction_id: 'i2', name: 'host::exec', status: 'succeeded', duration_ms: 2_000, at: NOW },
    ],
  };
  const view = viewOf({ snapshot: snapshotOf({ browser: { instruction_ingest, clients: [] } }) });

  it('a stopped message can be submitted again, a running instruction canceled, and what has ended neither', () => {
    const done = describeDone(view, 'c1', FORMAT);
    expect(done.map(({ key, offers }) => [key, offers?.do ?? null])).toEqual([
      ['m1', 'resubmit'],
      ['i1', 'cancel'],
      ['i2', null],
    ]);
  });

  it('an instruction of another conversation is not shown in this one', () => {
    const [running, ended] = instruction_ingest.recent_executes;
    const recent_executes = [
      { ...running, conversation_id: 'c1' },
      { ...ended, conversation_id: 'c2' },
    ];
    const browser = { instruction_ingest: { ...instruction_ingest, recent_executes }, clients: [] };
    const done = describeDone(viewOf({ snapshot: snapshotOf({ browser }) }), 'c1', FORMAT);
    expect(done.map(({ key }) => key)).toEqual(['m1', 'i1']);
  });

  it('a delivery that was refused is not said to be put off', () => {
    const refused = {
      platform: 'chatgpt',
      conversationId: 'c1',
      outcome: 'refused',
      reason: 'account_changed',
      at: NOW,
    } as const;
    const [shown] = describeDone(viewOf({ deliveries: [refused] }), 'c1', FORMAT);
    expect(shown).toMatchObject({
      tone: 'bad',
      text: { key: 'delivery_refused' },
      detail: { key: 'reason_account_changed' },
    });
  });

  it('a delivery that was to begin a conversation is shown in none, and where all are', () => {
    const begun = { platform: 'chatgpt', conversationId: null, outcome: 'refused', reason: 'no_tab', at: NOW } as const;
    const view = viewOf({ deliveries: [begun] });
    expect([describeDone(view, 'c1', FORMAT), describeDone(view, null, FORMAT)].map(({ length }) => length)).toEqual([
      0, 1,
    ]);
  });

  it('the newest of all kinds is first', () => {
    const deliveries = [0, 1_000_000].map((age) => ({
      platform: 'chatgpt' as const,
      conversationId: 'c1',
      outcome: 'delivered' as const,
      reason: null,
      at: NOW + 1_000 - age,
    }));
    const shown = describeDone({ ...view, deliveries }, 'c1', FORMAT).map(({ text }) => text.key);
    expect([shown[0], shown.at(-1)]).toEqual(['delivery_delivered', 'delivery_delivered']);
    expect(shown).toHaveLength(5);
  });
});

describe('the badge', () => {
  it.each([
    ['the number of approvals comes first', snapshotOf({ approvals_waiting: 3 }), '3'],
    ['a large number is cut', snapshotOf({ approvals_waiting: 640 }), '99+'],
    ['a pause is marked', snapshotOf({ system: { mode: 'paused', version: 2 } }), '❚❚'],
    ['a running system needs no mark', snapshotOf(), ''],
  ])('%s', (_what, snapshot, text) => {
    expect(badgeOf(viewOf({ snapshot })).text).toBe(text);
  });

  it('no connection is marked also when the last snapshot was good', () => {
    const full = viewOf({ queue: { messages: 500, oldestAt: NOW, isFull: true } });
    expect(badgeOf(full)).toMatchObject({ text: '!', title: { key: 'badge_queue_full', args: ['500'] } });
    expect(badgeOf(connectionIn('token_refused'))).toMatchObject({ text: '!', title: { key: 'badge_token_refused' } });
  });
});

describe('what a screen reader says', () => {
  const heard = (mode: 'running' | 'paused', approvals: number) => {
    const view = viewOf({ snapshot: snapshotOf({ system: { mode, version: 1 } }) });
    const conversation = describeConversation(view, HERE, NOW, FORMAT);
    return {
      connection: { key: 'connection_connected' },
      system: describeSystem(view, FORMAT),
      conversation,
      approvals,
      attention: [],
    };
  };

  it('nothing is said at the start, and then each change once', () => {
    expect(announcements(null, heard('running', 0))).toEqual([]);
    expect(announcements(heard('running', 0), heard('paused', 1))).toMatchObject([
      { key: 'say_mode', of: { key: 'mode_paused' } },
      { key: 'say_approvals', count: 1 },
    ]);
    expect(announcements(heard('paused', 1), heard('paused', 1))).toEqual([]);
  });
});
