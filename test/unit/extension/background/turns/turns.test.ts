import { describe, expect, it } from 'vitest';
import { TURN_LIMITS } from '../../../../../extension/background/turns/events.ts';
import { MAX_SENT, MAX_TURNS, TurnsSchema } from '../../../../../extension/background/turns/turn.ts';
import {
  answerOf,
  final,
  incomplete,
  progress,
  siteMessage,
  TurnScene,
} from '../../../../support/extension/turn-scene.ts';

const USER = siteMessage('user', 'u1');
const ANSWER = siteMessage('assistant', 'a1');
const MESSAGE = { messageId: 'a1', text: 'the answer', conversationId: 'c1' };
const READ = { messageId: 'a1', text: 'text of a1', conversationId: 'c1' };
const DAY_MS = 86_400_000;

describe('a turn whose stream is seen', () => {
  it('ends with its final answer', () => {
    const scene = new TurnScene().send().decoded(progress()).decoded(final());
    expect(scene.offers).toEqual([MESSAGE]);
    expect(scene.store().state.turns).toEqual([]);
  });

  it('belongs to the conversation that the site names, not to one that was opened in its tab meanwhile', () => {
    const scene = new TurnScene();
    scene.address = { kind: 'new', conversationId: null };
    scene.send({ conversationId: null }).page({ address: { kind: 'conversation', conversationId: 'c2' } });
    expect(scene.decoded(progress()).decoded(final()).offers).toEqual([MESSAGE]);
  });

  it('is opened by an answer in progress, without a send', () => {
    expect(new TurnScene().decoded(progress(), { role: 'stream' }).decoded(final()).offers).toEqual([MESSAGE]);
  });

  it('has one message, however often its answer is final', () => {
    const scene = new TurnScene().send().decoded(final()).decoded(final()).store();
    scene
      .decoded(final())
      .decoded(progress())
      .decoded(final({}, { history: true }))
      .reading([USER, ANSWER]);
    expect(scene.restart().decoded(final()).offers).toEqual([MESSAGE]);
  });

  it('gives each answer to the same question a message of its own', () => {
    const scene = new TurnScene().send().decoded(final()).store();
    scene.send({ kind: 'regenerate' }, 'r2').decoded(final({ messageId: 'a2' }), { requestId: 'r2' });
    expect(scene.offers.map(({ messageId }) => messageId)).toEqual(['a1', 'a2']);
  });

  it.each(['max_tokens', 'interrupted', 'choice'])('has no message when the answer is incomplete by %s', (reason) => {
    const scene = new TurnScene().send().decoded(progress()).decoded(incomplete(reason));
    scene
      .reading([USER, { ...ANSWER, state: 'incomplete' }])
      .page()
      .wait(DAY_MS);
    expect(scene.offers).toEqual([]);
    expect(scene.reports).toEqual([`incomplete_answer: ${reason}`]);
  });

  it.each([
    ['status 403', (scene: TurnScene) => scene.status(403)],
    ['a security check', (scene: TurnScene) => scene.status(200, { isChallenge: true })],
    ['a limit', (scene: TurnScene) => scene.decoded({ type: 'limit', resetsAt: null, resetsInMs: null, reason: 'x' })],
    ['an error', (scene: TurnScene) => scene.decoded({ type: 'error', reason: 'x' })],
  ])('ends when the site responds to the send with %s', (_what, refuse) => {
    expect(refuse(new TurnScene().send()).state.turns).toEqual([]);
  });

  it('ends when a stream refuses the send by its id', () => {
    const scene = new TurnScene().send().ended(null);
    scene.decoded({ type: 'refused', conversationId: 'c1', userMessageId: 'u1', reason: 'stale' }, { role: 'stream' });
    expect(scene.state.turns).toEqual([]);
  });
});

describe('an old answer that a stream or a reading repeats', () => {
  it('is no message when no send and no progress has named it', () => {
    const old = final({ messageId: 'old', userMessageId: 'older' }, { history: true });
    expect(new TurnScene().send().decoded(old, { role: 'stream' }).offers).toEqual([]);
  });

  it('is no message of a turn that waits in the same conversation', () => {
    const scene = new TurnScene().send({ userMessageId: 'u2' }).decoded({ type: 'handoff', conversationId: 'c1' });
    scene.decoded(final({ messageId: 'old', userMessageId: 'older' }, { history: true }), { role: 'stream' });
    scene.reading([USER, ANSWER]);
    expect(scene.offers).toEqual([]);
  });

  it('counts when the send has named its id', () => {
    const scene = new TurnScene().send({ assistantMessageId: 'a1' }).ended(null);
    expect(scene.decoded(final({}, { history: true }), { role: 'stream' }).offers).toEqual([MESSAGE]);
  });

  it('counts when it was seen in progress', () => {
    const scene = new TurnScene().decoded(progress({ userMessageId: null }), { role: 'stream' });
    expect(scene.decoded(final({ userMessageId: null }, { history: true }), { role: 'stream' }).offers).toEqual([
      MESSAGE,
    ]);
  });
});

describe('a turn whose stream is lost or cannot be seen', () => {
  const LOSSES: [string, (scene: TurnScene) => TurnScene][] = [
    ['handed over', (scene) => scene.decoded({ type: 'handoff', conversationId: 'c1' })],
    ['not readable', (scene) => scene.decoded({ type: 'opaque', reason: 'x' })],
    ['ended without an end mark', (scene) => scene.decoded(incomplete('no_end_mark', null))],
    ['broken', (scene) => scene.decoded(progress()).decoded(incomplete('broken')).ended('NS_ERROR_NET_RESET')],
    ['ended by a reload', (scene) => scene.decoded(progress()).ended('NS_BINDING_ABORTED')],
    ['lost with the background page', (scene) => scene.decoded(progress()).restart()],
  ];

  it.each(LOSSES)('takes its answer from a reading of the page when it was %s', (_what, lose) => {
    const scene = lose(new TurnScene().send());
    expect(scene.phases).toEqual(['waiting']);
    expect(scene.reading([USER, ANSWER]).offers).toEqual([READ]);
    expect(scene.reads).toEqual([]);
  });

  it.each(LOSSES)('takes its answer from the stream of the page that continues when it was %s', (_what, lose) => {
    expect(lose(new TurnScene().send()).decoded(final(), { requestId: 'r2', role: 'stream' }).offers).toEqual([
      MESSAGE,
    ]);
  });

  it('is read once when the page has shown a finished answer for a while', () => {
    const scene = new TurnScene().send().decoded({ type: 'handoff', conversationId: 'c1' });
    scene.page({ isAnswering: true, lastAnswer: null }).wait(60_000);
    expect(scene.reads).toEqual([]);
    scene.page().wait(TURN_LIMITS.settle);
    expect(scene.reads).toEqual(['c1']);
    expect(scene.ownReading([USER, ANSWER]).offers).toEqual([READ]);
  });

  it('has its page looked at once, as the page may have reported its last change before', () => {
    const scene = new TurnScene().send().page().decoded({ type: 'handoff', conversationId: 'c1' });
    scene.decoded({ type: 'handoff', conversationId: 'c1' });
    const looks = scene.effects.filter(({ type }) => type === 'look');
    expect(looks).toMatchObject([{ turn: { conversationId: 'c1', tabId: 1, phase: 'waiting' } }]);
    expect(scene.page().wait(TURN_LIMITS.patience).reads).toEqual(['c1']);
  });

  it('is not read a second time', () => {
    const scene = new TurnScene().send().decoded({ type: 'handoff', conversationId: 'c1' }).page().wait(60_000);
    scene
      .ownReading([USER, { ...ANSWER, state: 'running' }])
      .page()
      .wait(60_000)
      .page()
      .wait(DAY_MS);
    expect(scene.reads).toEqual(['c1']);
    expect(scene.offers).toEqual([]);
    expect(scene.reports).toEqual(['answer_not_in_reading', 'answer_lost']);
  });

  it('waits for another page when no page could read', () => {
    const scene = new TurnScene().send().decoded({ type: 'handoff', conversationId: 'c1' }).page().wait(60_000);
    scene.ownReading(null, false).page().wait(60_000).ownReading([USER, ANSWER]);
    expect(scene.offers).toEqual([READ]);
  });

  it('is not read while the page shows the answer before it', () => {
    const scene = new TurnScene().send().decoded(final()).store();
    scene.send({ userMessageId: 'u2' }, 'r2').decoded({ type: 'handoff', conversationId: 'c1' }, { requestId: 'r2' });
    scene.page({ lastAnswer: { id: 'a1', isFinished: true, chars: 1 } }).wait(60_000);
    expect(scene.reads).toEqual([]);
  });

  it('is read although its stream says nothing, when the page shows its end', () => {
    const scene = new TurnScene().send().ended(null).page().wait(TURN_LIMITS.quiet);
    expect(scene.reads).toEqual(['c1']);
  });

  it('ends without a message when the reading says that the answer is incomplete', () => {
    const scene = new TurnScene().send().decoded({ type: 'handoff', conversationId: 'c1' });
    expect(scene.reading([USER, { ...ANSWER, state: 'incomplete' }]).state.turns).toEqual([]);
    expect(scene.offers).toEqual([]);
  });

  it('pairs by the text of the newest question where the site gives ids later', () => {
    const scene = new TurnScene().send({ userMessageId: null, text: 'text of u1' }).ended('NS_ERROR_NET_RESET');
    scene.reading([USER, siteMessage('assistant', 'old'), { ...USER, id: 'u2' }, ANSWER]);
    expect(scene.offers).toEqual([READ]);
  });

  it('is not paired with the answer to the same question before it, while the site does not have the later one yet', () => {
    const again = { ...USER, id: 'u2' };
    const later = siteMessage('assistant', 'a2');
    const send = { userMessageId: null, text: 'text of u1', followsId: 'u1' };
    const scene = new TurnScene().send(send).ended('NS_ERROR_NET_RESET');
    expect(scene.reading([USER, ANSWER]).offers).toEqual([]);
    expect(scene.reading([USER, ANSWER, again, later]).offers).toMatchObject([{ messageId: 'a2' }]);
    const first = new TurnScene().send({ ...send, followsId: null }).ended('NS_ERROR_NET_RESET');
    expect(first.reading([USER, ANSWER, again, later]).offers).toEqual([]);
    expect(first.reading([USER, ANSWER]).offers).toEqual([READ]);
  });

  it('is found in a reading of a running answer after every trace of it was lost', () => {
    const scene = new TurnScene().reading([USER, { ...ANSWER, state: 'running' }]);
    expect(scene.phases).toEqual(['waiting']);
    expect(scene.reading([USER, ANSWER]).offers).toEqual([READ]);
  });

  it('waits with all others of a stream that cannot be read', () => {
    const scene = new TurnScene()
      .send()
      .ended(null)
      .decoded({ type: 'opaque', reason: 'x' }, { requestId: 's', role: 'stream' });
    expect(scene.phases).toEqual(['waiting']);
  });
});

describe('a site whose text is confirmed by a reading', () => {
  function confirming(): TurnScene {
    const scene = new TurnScene();
    scene.confirmsByReading = true;
    return scene.send().decoded(final());
  }

  it('has the text of the reading', () => {
    const scene = confirming();
    expect(scene.offers).toEqual([]);
    expect(scene.reads).toEqual(['c1']);
    expect(scene.ownReading([USER, ANSWER]).offers).toEqual([READ]);
  });

  it.each([
    ['fails', null],
    ['does not have the message', [USER]],
    ['has the message as running', [USER, { ...ANSWER, state: 'running' as const }]],
  ])('has the text of the stream when the reading %s', (_what, messages) => {
    expect(confirming().ownReading(messages).offers).toEqual([MESSAGE]);
  });

  it('has the text of the stream when no reading comes in time', () => {
    const scene = confirming().wait(TURN_LIMITS.confirm - 1);
    expect(scene.offers).toEqual([]);
    expect(scene.wait(1).offers).toEqual([MESSAGE]);
  });
});

describe('a conversation without an id', () => {
  const NEW = { kind: 'new', conversationId: null } as const;
  const unnamed = { conversationId: null };

  function onNewPage(send = {}): TurnScene {
    const scene = new TurnScene();
    scene.address = NEW;
    return scene.send({ conversationId: null, ...send });
  }

  it('gets the id that the stream names', () => {
    expect(onNewPage().decoded(progress()).decoded(final(unnamed)).offers).toEqual([MESSAGE]);
  });

  it('gets the id that appears in the address of its tab', () => {
    const scene = onNewPage().decoded(final(unnamed));
    expect(scene.phases).toEqual(['unbound']);
    scene.page({ address: { kind: 'provisional', conversationId: null } }).page({}, 2);
    expect(scene.offers).toEqual([]);
    expect(scene.page().offers).toEqual([MESSAGE]);
  });

  it('gets the id of a reading that has its message', () => {
    const scene = onNewPage()
      .ended('NS_ERROR_NET_RESET')
      .reading([siteMessage('user', 'x'), ANSWER], 'c9');
    expect(scene.offers).toEqual([]);
    expect(scene.reading([USER, ANSWER]).offers).toEqual([READ]);
  });

  it('is reported without an id when none comes in time', () => {
    const scene = onNewPage().decoded(final(unnamed)).wait(TURN_LIMITS.bind);
    expect(scene.offers).toEqual([{ ...MESSAGE, conversationId: null }]);
    expect(scene.reports).toEqual(['conversation_unknown']);
  });

  it('never gets one when it is temporary', () => {
    const scene = onNewPage({ isTemporary: true }).decoded(final(unnamed));
    expect(scene.offers).toEqual([{ ...MESSAGE, conversationId: null }]);
  });
});

describe('the state of turns', () => {
  it('is the same after a restart while a message is on its way into the queue', () => {
    const scene = new TurnScene().send().decoded(final()).restart();
    expect(scene.offers).toEqual([MESSAGE, MESSAGE]);
    expect(scene.store().restart().offers).toHaveLength(2);
  });

  it('forgets a message that the queue refuses', () => {
    const scene = new TurnScene().send().decoded(final());
    for (const { id } of scene.state.turns) scene.on({ type: 'not_stored', turnId: id, why: 'refused' });
    expect(scene.state).toEqual({ turns: [], sent: [] });
  });

  it('keeps a message that the queue cannot take now, and offers it again until it is taken', () => {
    const scene = new TurnScene().send().decoded(final());
    const refuse = () => scene.on({ type: 'not_stored', turnId: scene.state.turns[0]?.id ?? '', why: 'full' });
    refuse().wait(TURN_LIMITS.offerAgain - 1);
    expect(scene.offers).toHaveLength(1);
    scene.wait(1);
    expect(scene.offers).toEqual([MESSAGE, MESSAGE]);
    for (let ms = 0; ms < DAY_MS; ms += TURN_LIMITS.offerAgain) refuse().wait(TURN_LIMITS.offerAgain);
    expect(scene.store().state.turns).toEqual([]);
    expect(scene.reports).toEqual([]);
  });

  it('offers such a message at once when the queue has room, and after a restart', () => {
    const scene = new TurnScene().send().decoded(final());
    scene.on({ type: 'not_stored', turnId: scene.state.turns[0]?.id ?? '', why: 'full' });
    expect(scene.on({ type: 'room' }).offers).toHaveLength(2);
    expect(scene.on({ type: 'room' }).offers).toHaveLength(2);
    expect(scene.restart().offers).toHaveLength(3);
  });

  it('has bounds', () => {
    const scene = new TurnScene();
    for (let n = 0; n < MAX_TURNS + 5; n += 1) scene.send({ userMessageId: `u${n}` }, `r${n}`);
    expect(scene.state.turns).toHaveLength(MAX_TURNS);
    expect(scene.reports).toContain('too_many_turns');
    for (let n = 0; n < MAX_SENT + 5; n += 1) {
      const answer = answerOf({ messageId: `m${n}`, userMessageId: null });
      scene.decoded({ type: 'final', answer, text: '', history: false }, { role: 'stream', requestId: 's' }).store();
    }
    expect(scene.state.sent).toHaveLength(MAX_SENT);
  });
});

describe('a conversation that something else wants read', () => {
  const reread = { type: 'reread', platform: 'claude', conversationId: 'c1' } as const;

  it('is read at once for a turn that waits, and not a second time', () => {
    const scene = new TurnScene().send().decoded({ type: 'handoff', conversationId: 'c1' }).on(reread).on(reread);
    expect(scene.reads).toEqual(['c1']);
    expect(scene.ownReading([USER, ANSWER]).on(reread).offers).toEqual([READ]);
    expect(scene.reads).toEqual(['c1']);
  });

  it('is not read without an open turn', () => {
    expect(new TurnScene().on(reread).reads).toEqual([]);
  });
});

it('a stored turn that cannot be read takes no other one with it', () => {
  const { turns } = new TurnScene().send().state;
  expect(turns).toHaveLength(1);
  expect(TurnsSchema.parse([{ ...turns[0], phase: 'later' }, 7, ...turns])).toEqual(turns);
});

it.each(['before', 'after'])('a site with many turns takes none from a site whose turn began %s', (when) => {
  const scene = new TurnScene();
  const sendOther = () => {
    const { turns, sent } = scene.send({}, 'r0').state;
    scene.state = { turns: turns.map((one) => (one.requestId === 'r0' ? { ...one, platform: 'chatgpt' } : one)), sent };
  };
  if (when === 'before') sendOther();
  for (let n = 1; n <= MAX_TURNS; n += 1) scene.send({ userMessageId: `u${n}` }, `r${n}`);
  if (when === 'after') sendOther();
  scene.send({ userMessageId: 'last' }, 'last');
  expect(scene.state.turns).toHaveLength(MAX_TURNS);
  expect(scene.state.turns.filter(({ platform }) => platform === 'chatgpt')).toHaveLength(1);
});
