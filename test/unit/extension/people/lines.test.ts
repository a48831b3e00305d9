/** What went wrong, as people see it: in the overlay of the conversation, and on the options page. */
import { describe, expect, it } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import type { PeoplePort } from '../../../../extension/background/people/people.ts';
import { describeAttention, describeLine, needsPerson } from '../../../../extension/overlay/describe-lines.ts';
import type { PeopleNews, PeopleView, ReportedLine } from '../../../../extension/people-messages.ts';
import { orderOf, seenLook } from '../../../support/extension/delivery-scene.ts';
import { OWN_ORIGIN, TestEnv } from '../../../support/extension/test-env.ts';
import { ORIGIN } from '../../../support/extension/test-site.ts';
import { until } from '../../../support/until.ts';
import { english, FORMAT, NOW, snapshotOf, viewOf } from './views.ts';

const CONVERSATION = 'c1';
const FINAL = {
  type: 'final',
  answer: { conversationId: CONVERSATION, messageId: 'a1', userMessageId: 'u1' },
  text: 'the answer',
  history: false,
};

/** A page that is shown the view, and may ask for the export. */
class ShownPage {
  readonly port: PeoplePort;
  view: PeopleView | null = null;
  exported: string | null = null;
  #order: (message: object) => void = () => undefined;

  constructor(url: string, origin: string) {
    this.port = {
      name: 'people',
      sender: { url, origin },
      postMessage: (news: PeopleNews) => {
        if (news.news === 'view') this.view = news.view;
        else if (news.news === 'diagnostics') this.exported = news.text;
      },
      onMessage: {
        addListener: (listener) => {
          this.#order = listener;
        },
      },
      onDisconnect: { addListener: () => undefined },
      disconnect: () => undefined,
    };
  }

  order(message: object): void {
    this.#order(message);
  }

  /** What the overlay of that conversation says. */
  says(conversationId: string | null, now: number): string[] {
    const t = english();
    const shown = this.view === null ? [] : describeAttention(this.view, { conversationId }, now, FORMAT);
    return shown.map(({ text, todo }) => `${t(text)} ${todo === null ? '' : t(todo)}`);
  }
}

async function scene() {
  const env = new TestEnv().pair();
  let connect: (port: PeoplePort) => void = () => undefined;
  env.env.people.onConnect = (listener) => {
    connect = listener;
  };
  env.openTabs = [{ id: 1, url: `${ORIGIN}/c/${CONVERSATION}`, title: 'A chat' }];
  const background = startBackground(env.env);
  await env.greet();
  await background.ready;
  const open = (page: ShownPage) => {
    connect(page.port);
    return page;
  };
  return {
    env,
    background,
    overlay: open(new ShownPage(`${ORIGIN}/c/${CONVERSATION}`, ORIGIN)),
    options: open(new ShownPage(`${OWN_ORIGIN}/options/options.html`, OWN_ORIGIN)),
  };
}

/** The agent refuses the answer for good. */
async function refusedAnswer() {
  const made = await scene();
  const { env } = made;
  await env.exchange('r1', { conversationId: CONVERSATION, userMessageId: 'u1' }, [FINAL]);
  const [message] = await env.finalMessages(1);
  env.socket.receive({ type: 'message_nack', request_id: message?.request_id, code: 'invalid_request' });
  await env.clock.flush();
  return made;
}

describe('a message that the agent refuses for good', () => {
  it('is shown in the overlay of its conversation, with what to do, and in no other one', async () => {
    const { overlay, background, env } = await refusedAnswer();
    expect(background.queue.size).toBe(0);
    await until(() => overlay.says(CONVERSATION, env.clock.now()).length > 0);
    expect(overlay.says(CONVERSATION, env.clock.now())).toEqual([
      expect.stringMatching(/refused .* \(invalid_request\).*dropped.* ask the assistant .* once more/),
    ]);
    for (const other of ['c2', null]) expect(overlay.says(other, env.clock.now())).toEqual([]);
  });

  it('is a line of the options page and of the export, without the id of the conversation', async () => {
    const { options } = await refusedAnswer();
    await until(() => (options.view?.lines.length ?? 0) > 0);
    const [line] = options.view?.lines ?? [];
    expect(line).toMatchObject({ platform: 'claude', text: 'message_refused_by_agent: invalid_request' });
    options.order({ order: 'diagnostics', id: 'd1' });
    await until(() => options.exported !== null);
    const exported: unknown = JSON.parse(options.exported ?? '{}');
    expect(exported).toMatchObject({ lines: [{ text: 'message_refused_by_agent: invalid_request', count: 1 }] });
    expect(options.exported).not.toContain('conversationId');
  });

  it('is shown by the next background page, too', async () => {
    const { env } = await refusedAnswer();
    await env.clock.elapse(2_000);
    const next = new TestEnv({ storage: env.storage });
    const { ready, diagnostics } = startBackground(next.env);
    await ready;
    expect(diagnostics.all()).toMatchObject([
      { conversation_id: CONVERSATION, text: expect.stringMatching(/refused/) },
    ]);
  });
});

describe('a delivery that is refused before anything is typed', () => {
  it('is shown in its conversation as refused, with the reason', async () => {
    const { env, overlay } = await scene();
    const url = `${ORIGIN}/c/${CONVERSATION}`;
    env.onPageCall = () => seenLook(CONVERSATION, { url, login: { login: 'lost', account: null } });
    env.socket.receive(orderOf({ platform: 'claude', page_url: url, tab_id: 1 }));
    while (overlay.view?.deliveries.length === 0) await env.clock.elapse(100);
    expect(overlay.view?.deliveries).toMatchObject([
      { platform: 'claude', conversationId: CONVERSATION, outcome: 'refused', reason: 'signed_out' },
    ]);
  });
});

describe('the overlay of a site', () => {
  it('gets no line that needs no person, and none of another site', async () => {
    const { background, overlay, options } = await scene();
    background.diagnostics.report('claude', 'reading_failed: 500', CONVERSATION);
    background.diagnostics.report('gemini', 'message_too_long', 'g1');
    background.diagnostics.report('claude', 'message_too_long', CONVERSATION);
    await until(() => options.view?.lines.length === 3);
    expect(overlay.view?.lines.map(({ text, platform }) => `${platform} ${text}`)).toEqual(['claude message_too_long']);
  });
});

describe('a line', () => {
  const line = (text: string, change: Partial<ReportedLine> = {}): ReportedLine => ({
    platform: 'chatgpt',
    conversationId: 'c1',
    text,
    at: NOW,
    count: 1,
    ...change,
  });
  const GIVEN_UP = 'the answer has not ended after 3 reloads: its tab needs a person';

  it.each([
    ['message_too_long', true],
    ['answer_lost', true],
    ['incomplete_answer: max_tokens', true],
    ['incomplete_answer: interrupted', false],
    [GIVEN_UP, true],
    ['a page that lost its answer is loaded again, time 1', false],
    ['reading_failed: 500', false],
    ['something new', false],
  ])('%s needs a person: %s, and says what to do only then', (text, isNeeded) => {
    expect(needsPerson({ text })).toBe(isNeeded);
    const { todo } = describeLine(line(text), FORMAT);
    expect(todo !== null && english()(todo).length > 20).toBe(isNeeded);
  });

  it('that has no words of its own is shown as it is', () => {
    expect(english()(describeLine(line('something new'), FORMAT).text)).toBe('something new');
  });

  const ingest = { message_id: 'm1', conversation_id: 'c1', ingest_status: 'executed', at: NOW + 1 };
  const instruction_ingest = { last_ingest: null, last_execute: null, recent_ingests: [ingest], recent_executes: [] };
  const browser = { instruction_ingest, clients: [] };

  it.each([
    ['of an answer that did not end is over', GIVEN_UP, 0],
    ['of a dropped text is not', 'message_too_long', 1],
  ])('%s when a later message of the conversation has come', (_what, text, count) => {
    const view = viewOf({ lines: [line(text)], snapshot: snapshotOf({ browser }) });
    expect(describeAttention(view, { conversationId: 'c1' }, NOW + 2, FORMAT)).toHaveLength(count);
    expect(describeAttention(viewOf({ lines: [line(text)] }), { conversationId: 'c1' }, NOW + 2, FORMAT)).toHaveLength(
      1,
    );
  });

  it('is not shown in the chat a day later', () => {
    const view = viewOf({ lines: [line('message_too_long')] });
    expect(describeAttention(view, { conversationId: 'c1' }, NOW + 86_400_000, FORMAT)).toEqual([]);
  });
});
