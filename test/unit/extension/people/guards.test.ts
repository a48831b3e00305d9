/** What keeps the overlay and its settings from a page: presses, ports, addresses, diagnostics. */
import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { diagnosticsOf, withoutIds } from '../../../../extension/background/people/diagnostics.ts';
import { PageControls } from '../../../../extension/background/people/page-controls.ts';
import type { PeopleDeps, PeoplePort } from '../../../../extension/background/people/people.ts';
import { startPeople } from '../../../../extension/background/people/people.ts';
import { readAgentAddress, readPairingCode } from '../../../../extension/options/agent-address.ts';
import type { Surroundings } from '../../../../extension/overlay/genuine.ts';
import { judgePress } from '../../../../extension/overlay/genuine.ts';
import { insideShadows } from '../../../../extension/overlay/inside-shadows.ts';
import { fromPixels, toPixels } from '../../../../extension/overlay/place.ts';
import { isDark } from '../../../../extension/overlay/theme.ts';
import type { PeopleNews } from '../../../../extension/people-messages.ts';
import type { ExtensionFrame } from '../../../../schema/contracts/bridge-frames.ts';
import { conversationOf, english, NOW, snapshotOf, viewOf } from './views.ts';

const PLAIN = {
  opacity: '1',
  filter: 'none',
  transform: 'none',
  clipPath: 'none',
  visibility: 'visible',
  mixBlendMode: 'normal',
};
const page = { parentElement: null } as Element;
const host = { parentElement: page } as Element;
const CLEAR: Surroundings = {
  topAt: () => host,
  host,
  isOnTop: true,
  hasOthers: false,
  isPictured: false,
  styleOf: () => PLAIN,
};
const MOUSE = { isTrusted: true, detail: 1, clientX: 150, clientY: 150 };

describe('a press in the overlay', () => {
  it('counts when a person makes it on a clear panel, by mouse and by keyboard', () => {
    expect(judgePress(MOUSE, CLEAR)).toBe('genuine');
    expect(judgePress({ ...MOUSE, detail: 0 }, { ...CLEAR, topAt: () => page })).toBe('genuine');
  });

  it('of a script never counts', () => {
    expect(judgePress({ ...MOUSE, isTrusted: false }, CLEAR)).toBe('forged');
  });

  it.each<[string, Partial<Surroundings>]>([
    ['an element lies over the point', { topAt: () => page }],
    ['the panel is not in the top layer', { isOnTop: false }],
    ['the top layer holds anything else, since its backdrop can be over the panel', { hasOthers: true }],
    ['the page shows a picture of itself', { isPictured: true }],
    ['the page is see-through', { styleOf: (one) => (one === page ? { ...PLAIN, opacity: '0.01' } : PLAIN) }],
    ['the page is filtered', { styleOf: (one) => (one === page ? { ...PLAIN, filter: 'blur(9px)' } : PLAIN) }],
    ['the host is transformed', { styleOf: (one) => (one === host ? { ...PLAIN, transform: 'scale(9)' } : PLAIN) }],
    ['the host is clipped', { styleOf: (one) => (one === host ? { ...PLAIN, clipPath: 'inset(50%)' } : PLAIN) }],
  ])('does not count when %s', (_when, change) => {
    expect(judgePress(MOUSE, { ...CLEAR, ...change })).toBe('covered');
  });

  it('is judged by what the page keeps in closed shadow roots too', () => {
    const { document } = new JSDOM('<main><b class="top"></b><i></i></main>').window;
    const roots = new Map<Element, ShadowRoot>();
    const shadowIn = (element: Element, html: string) => {
      const root = element.attachShadow({ mode: 'closed' });
      root.innerHTML = html;
      roots.set(element, root);
      return root;
    };
    const outer = shadowIn(document.querySelector('main') as Element, '<p></p>');
    shadowIn(outer.querySelector('p') as Element, '<u class="top"></u>');
    const found = insideShadows(document, '.top', (element) => roots.get(element) ?? null);
    expect(found.map(({ localName }) => localName)).toEqual(['b', 'u']);
  });
});

class TestPort implements PeoplePort {
  readonly name = 'people';
  readonly news: PeopleNews[] = [];
  readonly sender: { url: string; origin: string };
  send: (message: object) => void = () => undefined;
  leave: () => void = () => undefined;
  isClosed = false;
  readonly onMessage = {
    addListener: (listener: (message: object) => void) => {
      this.send = listener;
    },
  };
  readonly onDisconnect = {
    addListener: (listener: () => void) => {
      this.leave = listener;
    },
  };
  constructor(url: string, origin = url.split('/').slice(0, 3).join('/')) {
    this.sender = { url, origin };
  }
  postMessage(message: PeopleNews): void {
    this.news.push(message);
  }
  disconnect(): void {
    this.isClosed = true;
  }
}

const OWN = 'moz-extension://6f1c2f0e-1111-4222-8333-944455556666/';

function startTestPeople(change: Partial<PeopleDeps> = {}) {
  const done: unknown[] = [];
  let connect: (port: PeoplePort) => void = () => undefined;
  const state = startPeople({
    onConnect: (listener) => {
      connect = listener;
    },
    ownOrigin: OWN,
    version: '0.1.0',
    manifestVersion: 2,
    browserName: 'Firefox',
    now: () => NOW,
    translate: english(),
    showBadge: () => undefined,
    openOptions: async () => undefined,
    openApproval: async (instructionId) => {
      done.push(`review ${instructionId}`);
      return 'opened';
    },
    platformOf: (url) => (url.startsWith('https://chatgpt.com/') ? 'chatgpt' : null),
    act: async (action) => {
      done.push(action);
      return { ok: true };
    },
    stopHelp: (platform, conversationId) => void done.push(`stop ${platform} ${conversationId}`),
    change: async (order) => {
      done.push(order);
      return { ok: true };
    },
    ...change,
  });
  const open = (url: string, origin?: string) => {
    const port = new TestPort(url, origin);
    connect(port);
    return port;
  };
  return { state, done, open };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the port of a page', () => {
  const ingest = { conversation_id: 'c1', ingest_status: 'executed', at: 1 };
  const execute = { conversation_id: 'c1', name: 'conductor::exec', status: 'running', duration_ms: null, at: 1 };
  const snapshot = snapshotOf({
    conversations: [
      conversationOf(),
      conversationOf({ platform: 'claude', conversation_id: 'k1', local_conversation_id: 'lc_2' }),
    ],
    browser: {
      instruction_ingest: {
        last_ingest: { message_id: 'of-claude' },
        last_execute: null,
        recent_ingests: [
          { ...ingest, message_id: 'of-claude', platform: 'claude' },
          { ...ingest, message_id: 'of-chatgpt', platform: 'chatgpt' },
        ],
        recent_executes: [
          { ...execute, instruction_id: 'of-claude', platform: 'claude' },
          { ...execute, instruction_id: 'of-chatgpt', platform: 'chatgpt' },
        ],
      },
      clients: [],
    },
  });

  it('an overlay gets the conversations of its own site only, a page of the extension all', async () => {
    const { state, open } = startTestPeople();
    const overlay = open('https://chatgpt.com/c/c1');
    const options = open(`${OWN}options/options.html`);
    state.snapshot(snapshot);
    await settled();
    const shown = (port: TestPort) => {
      const last = port.news.at(-1);
      return last?.news === 'view' ? last.view.snapshot?.conversations.map(({ platform }) => platform) : null;
    };
    expect(shown(overlay)).toEqual(['chatgpt']);
    expect(shown(options)).toEqual(['chatgpt', 'claude']);
  });

  it('an overlay gets what was done for its own site only', async () => {
    const { state, open } = startTestPeople();
    const overlay = open('https://chatgpt.com/c/c1');
    state.snapshot(snapshot);
    await settled();
    expect(JSON.stringify(overlay.news.at(-1))).toContain('of-chatgpt');
    expect(JSON.stringify(overlay.news.at(-1))).not.toContain('of-claude');
  });

  it('an overlay sees, and has left alone, only pages of its own site that are being helped', async () => {
    const { state, open, done } = startTestPeople();
    const overlay = open('https://chatgpt.com/c/c1');
    const own = { platform: 'chatgpt', conversationId: 'c1' } as const;
    state.helped([own, { platform: 'claude', conversationId: 'k1' }]);
    await settled();
    expect(overlay.news.at(-1)).toMatchObject({ view: { helped: [own] } });
    overlay.send({ order: 'stop_help', id: 'a', platform: 'claude', conversation_id: 'k1' });
    overlay.send({ order: 'stop_help', id: 'b', platform: 'chatgpt', conversation_id: 'c1' });
    await settled();
    expect(done).toEqual(['stop chatgpt c1']);
    expect(overlay.news.filter(({ news }) => news !== 'view')).toMatchObject([
      { id: 'a', outcome: { ok: false, code: 'forbidden' } },
      { id: 'b', outcome: { ok: true } },
    ]);
  });

  it('an overlay cannot change settings or read the diagnostics', async () => {
    const { open, done } = startTestPeople();
    const overlay = open('https://chatgpt.com/c/c1');
    overlay.send({ order: 'settings', id: 'a', change: { set: 'agent_url', url: 'http://127.0.0.1:1' } });
    overlay.send({ order: 'diagnostics', id: 'b' });
    await settled();
    expect(done).toEqual([]);
    expect(overlay.news.filter(({ news }) => news !== 'view')).toMatchObject([
      { id: 'a', outcome: { ok: false, code: 'forbidden' } },
      { id: 'b', outcome: { ok: false, code: 'forbidden' } },
    ]);
  });

  const APPROVE = { action: 'instruction.approve', instruction_id: 'ins_1', approval_hash: 'a'.repeat(64) } as const;

  const APPROVAL = {
    instruction_id: 'ins_1',
    local_conversation_id: 'lc_1',
    name: 'conductor::exec',
    display: 'argv: ["true"]',
    approval_hash: APPROVE.approval_hash,
    expires_in_ms: 60_000,
  };

  it('an overlay cannot approve, and can have the window opened in which a person approves', async () => {
    const { state, open, done } = startTestPeople();
    state.snapshot({ ...snapshot, approvals: [APPROVAL] });
    const overlay = open('https://chatgpt.com/c/c1');
    overlay.send({ order: 'act', id: 'a', action: APPROVE });
    overlay.send({ order: 'review_approval', id: 'b', instruction_id: 'ins_1' });
    await settled();
    expect(done).toEqual(['review ins_1']);
    expect(overlay.news.filter(({ news }) => news !== 'view')).toMatchObject([
      { id: 'a', outcome: { ok: false, code: 'forbidden' } },
      { id: 'b', outcome: { ok: true } },
    ]);
  });

  it('an overlay cannot have a window opened for what does not wait for approval', async () => {
    const { state, open, done } = startTestPeople();
    const overlay = open('https://chatgpt.com/c/c1');
    overlay.send({ order: 'review_approval', id: 'a', instruction_id: 'ins_1' });
    await settled();
    state.snapshot({ ...snapshot, approvals: [APPROVAL] });
    overlay.send({ order: 'review_approval', id: 'b', instruction_id: 'ins_2' });
    await settled();
    expect(done).toEqual([]);
    expect(overlay.news.filter(({ news }) => news !== 'view')).toMatchObject([
      { id: 'a', outcome: { ok: false, code: 'not_waiting' } },
      { id: 'b', outcome: { ok: false, code: 'not_waiting' } },
    ]);
  });

  it('an overlay cannot have a window opened for an approval of another site', async () => {
    const { state, open, done } = startTestPeople();
    state.snapshot({ ...snapshot, approvals: [{ ...APPROVAL, platform: 'claude' }] });
    const overlay = open('https://chatgpt.com/c/c1');
    overlay.send({ order: 'review_approval', id: 'a', instruction_id: 'ins_1' });
    await settled();
    expect(done).toEqual([]);
    expect(overlay.news.at(-1)).toMatchObject({ id: 'a', outcome: { ok: false, code: 'not_waiting' } });
    open(`${OWN}options/options.html#popup`).send({ order: 'review_approval', id: 'b', instruction_id: 'ins_1' });
    await settled();
    expect(done).toEqual(['review ins_1']);
  });

  it('an overlay whose approval has to wait for the window of another one says so', async () => {
    const { state, open } = startTestPeople({ openApproval: async () => 'being_read' });
    state.snapshot({ ...snapshot, approvals: [APPROVAL] });
    const overlay = open('https://chatgpt.com/c/c1');
    overlay.send({ order: 'review_approval', id: 'a', instruction_id: 'ins_1' });
    await settled();
    expect(overlay.news.filter(({ news }) => news !== 'view')).toEqual([
      {
        news: 'outcome',
        id: 'a',
        outcome: { ok: false, code: 'busy', message: expect.stringContaining('Decide there or close it') },
      },
    ]);
  });

  it('an overlay can deny', async () => {
    const { open, done } = startTestPeople();
    open('https://chatgpt.com/c/c1').send({
      order: 'act',
      id: 'a',
      action: { ...APPROVE, action: 'instruction.deny' },
    });
    await settled();
    expect(done).toHaveLength(1);
  });

  it('a page of the extension approves, and one that only has its address does not', async () => {
    const { open, done } = startTestPeople();
    open(`${OWN}options/options.html#popup`).send({ order: 'act', id: 'a', action: APPROVE });
    open(`${OWN}options/options.html#popup`, 'https://chatgpt.com').send({ order: 'act', id: 'b', action: APPROVE });
    await settled();
    expect(done).toEqual([APPROVE]);
  });

  it('a page of no site cannot have a window opened', async () => {
    const { open, done } = startTestPeople();
    open('https://example.com/').send({ order: 'review_approval', id: 'a', instruction_id: 'ins_1' });
    await settled();
    expect(done).toEqual([]);
  });

  it('a page of no site gets nothing and can do nothing', async () => {
    const { open, done } = startTestPeople();
    const stranger = open('https://example.com/');
    stranger.send({ order: 'act', id: 'a', action: { action: 'system.resume' } });
    await settled();
    expect(done).toEqual([]);
    expect(stranger.news).toMatchObject([{ news: 'outcome', outcome: { code: 'forbidden' } }]);
  });

  it('an order that does not have its shape is ignored', async () => {
    const { open, done } = startTestPeople();
    const overlay = open('https://chatgpt.com/c/c1');
    overlay.send({ order: 'act', id: 'a', action: { action: 'system.format_disk' } });
    overlay.send({ order: 'act', id: 'b', action: { action: 'instruction.approve', approval_hash: 'short' } });
    await settled();
    expect(done).toEqual([]);
  });

  it('is there for a page of the extension, however many chats are open', async () => {
    const { state, open } = startTestPeople();
    const overlays = Array.from({ length: 201 }, (_, n) => open(`https://chatgpt.com/c/${n}`));
    expect(overlays.filter(({ isClosed }) => isClosed)).toHaveLength(1);
    const popup = open(`${OWN}options/options.html`);
    state.snapshot(snapshot);
    await settled();
    expect(popup.isClosed).toBe(false);
    expect(popup.news.at(-1)?.news).toBe('view');
  });

  it('orders of one page that wait are bounded', async () => {
    const { open } = startTestPeople({ act: () => new Promise(() => undefined) });
    const overlay = open('https://chatgpt.com/c/c1');
    for (let n = 0; n < 20; n += 1) overlay.send({ order: 'act', id: `o${n}`, action: { action: 'system.pause' } });
    await settled();
    expect(
      overlay.news.filter((one) => one.news === 'outcome' && !one.outcome.ok && one.outcome.code === 'busy'),
    ).toHaveLength(4);
  });
});

describe('an action on its way to the agent', () => {
  const controlsWith = (isConnected: boolean) => {
    const sent: ExtensionFrame[] = [];
    let expire: () => void = () => undefined;
    const controls = new PageControls({
      send: (frame) => {
        sent.push(frame);
        return isConnected;
      },
      newRequestId: () => 'r1',
      after: (_ms, run) => {
        expire = run;
        return () => undefined;
      },
      translate: english(),
    });
    return { controls, sent, expire: () => expire() };
  };

  it('ends with what the edge confirmed, or with its error in words', async () => {
    const { controls, sent } = controlsWith(true);
    const outcome = controls.act({ action: 'system.pause' });
    expect(sent).toEqual([{ type: 'page_control', request_id: 'r1', action: 'system.pause' }]);
    controls.ended({
      type: 'page_control_result',
      request_id: 'r1',
      ok: false,
      error: { code: 'forbidden', message: 'not yours' },
    });
    expect(await outcome).toEqual({ ok: false, code: 'forbidden', message: 'not yours' });
  });

  it('says that it may have been done when the connection is lost or nothing comes in time', async () => {
    const lost = controlsWith(true);
    const outcome = lost.controls.act({ action: 'system.pause' });
    lost.controls.connectionLost();
    expect(await outcome).toMatchObject({
      code: 'connection_lost',
      message: expect.stringContaining('may have been done'),
    });
    const late = controlsWith(true);
    const waiting = late.controls.act({ action: 'system.pause' });
    late.expire();
    expect(await waiting).toMatchObject({ code: 'timeout' });
  });

  it('is refused at once without a connection', async () => {
    expect(await controlsWith(false).controls.act({ action: 'system.pause' })).toMatchObject({ code: 'not_connected' });
  });
});

describe('the diagnostics', () => {
  it('hold no token, no id of a conversation, no text, and no address but the agent’s', () => {
    const canaries = {
      token: 'baat_canary0token0canary0token',
      conversation: '6f1c2f0e-aaaa-4222-8333-944455556666',
      text: 'rm canary-secret-file',
      url: 'https://chatgpt.com/backend-api/canary',
    };
    const view = viewOf({
      connection: {
        state: 'closed',
        reason: `bad ${canaries.token} at ${canaries.url}`,
        retryAt: null,
        since: NOW,
        agentUrl: 'http://127.0.0.1:4317',
      },
      snapshot: snapshotOf({
        conversations: [conversationOf({ conversation_id: canaries.conversation, local_conversation_id: 'lc_canary' })],
        approvals: [
          {
            instruction_id: 'ins_canary',
            local_conversation_id: 'lc_canary',
            name: 'host::exec',
            display: canaries.text,
            approval_hash: 'b'.repeat(64),
            expires_in_ms: 1,
          },
        ],
        approvals_waiting: 1,
      }),
      deliveries: [
        {
          platform: 'chatgpt',
          conversationId: canaries.conversation,
          outcome: 'failed',
          reason: `at ${canaries.url}`,
          at: NOW,
        },
      ],
      setAside: 3,
      drift: [{ platform: 'chatgpt', what: `read: ${canaries.url} ${canaries.conversation}`, at: NOW, count: 1 }],
    });
    const history = [{ state: 'closed' as const, since: NOW, reason: canaries.token }];
    const report = diagnosticsOf({ view, history, browser: 'Firefox', manifestVersion: 2, now: NOW });
    expect(report).not.toMatch(/canary|6f1c2f0e|b{20}/);
    expect(JSON.parse(report)).toMatchObject({
      extension: '0.1.0',
      connection: { state: 'closed' },
      messages_set_aside: 3,
      snapshot: { approvals_waiting: 1, system: { mode: 'running' } },
      drift: [{ platform: 'chatgpt', what: 'read: <address> <id>' }],
    });
  });

  it.each(['6f1c2f0e-5555-4222-8333-944455556666', '9f3a77c1e20b4d58', 'lc_01j9zq4m8x'])(
    'an id is taken out: %s',
    (id) => {
      expect(withoutIds(`the tab of conversation ${id} needs a person`)).toBe(
        'the tab of conversation <id> needs a person',
      );
    },
  );

  it('a note without ids is left as it is', () => {
    expect(withoutIds('composer: #prompt-textarea (rank 1)')).toBe('composer: #prompt-textarea (rank 1)');
    expect(withoutIds('answer_not_taken_from_page: not_finished')).toBe('answer_not_taken_from_page: not_finished');
  });
});

describe('the agent’s address', () => {
  it.each([
    ['http://127.0.0.1:4317', 'http://127.0.0.1:4317'],
    [' localhost:5000 ', 'http://localhost:5000'],
  ])('%s is taken', (typed, url) => expect(readAgentAddress(typed)).toEqual({ ok: true, url }));

  it.each([
    ['', 'address_empty'],
    ['http://', 'address_not_url'],
    ['https://127.0.0.1:4317', 'address_not_http'],
    ['http://192.168.0.9:4317', 'address_not_loopback'],
    ['http://127.0.0.1.evil.example', 'address_not_loopback'],
    ['http://localhost@evil.example', 'address_not_loopback'],
    ['http://127.0.0.1:4317/ws', 'address_not_plain'],
  ])('%s is refused with its reason', (typed, key) => {
    expect(readAgentAddress(typed)).toMatchObject({ ok: false, problem: { key } });
  });
});

describe('a pairing code', () => {
  it.each(['12345678', ' 1234 5678 ', '1234-5678'])('%s is read', (typed) => {
    expect(readPairingCode(typed)).toEqual({ ok: true, code: '12345678' });
  });
  it.each([
    ['1234567', 'pair_not_digits'],
    ['1234567a', 'pair_only_digits'],
    ['', 'pair_not_digits'],
  ])('%s is refused with its reason', (typed, key) => {
    expect(readPairingCode(typed)).toMatchObject({ ok: false, problem: { key } });
  });
});

describe('the place of the overlay', () => {
  it.each([
    [
      { width: 1_200, height: 800 },
      { width: 360, height: 600 },
    ],
    [
      { width: 320, height: 240 },
      { width: 296, height: 216 },
    ],
  ])('it is within a window of any size, also after one of another size', (window, panel) => {
    for (const [x, y] of [
      [0, 0],
      [1, 1],
      [0.4, 0.9],
    ] as const) {
      const { left, top } = toPixels({ x, y, isOpen: true }, window, panel);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + panel.width).toBeLessThanOrEqual(window.width);
      expect(top + panel.height).toBeLessThanOrEqual(window.height);
    }
  });

  it('a place in pixels comes back as the same pixels', () => {
    const [window, panel] = [
      { width: 1_200, height: 800 },
      { width: 360, height: 600 },
    ];
    const place = fromPixels({ x: 0, y: 0, isOpen: true }, { left: 300, top: 90 }, window, panel);
    expect(toPixels(place, window, panel)).toEqual({ left: 300, top: 90 });
  });
});

describe('the theme', () => {
  it.each([
    [['rgb(33, 33, 33)'], false, true],
    [['rgb(255, 255, 255)', 'rgb(0, 0, 0)'], true, false],
    [['rgba(0, 0, 0, 0)', 'rgb(20, 20, 20)'], false, true],
    [['rgba(0, 0, 0, 0)'], true, true],
  ] as const)('%j with a preference for dark %s is dark: %s', (backgrounds, prefers, dark) => {
    expect(isDark(backgrounds, prefers)).toBe(dark);
  });
});
