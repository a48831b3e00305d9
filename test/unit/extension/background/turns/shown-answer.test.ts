/** The last way to an answer: what its page shows, when the one reading of ours has not decided. */
import { expect, it } from 'vitest';
import { startBackground } from '../../../../../extension/background/background.ts';
import { TURN_LIMITS } from '../../../../../extension/background/turns/events.ts';
import type { ShownAnswer, ShowOrder } from '../../../../../extension/messages.ts';
import { TestEnv } from '../../../../support/extension/test-env.ts';
import { ORIGIN } from '../../../../support/extension/test-site.ts';
import { siteMessage, TurnScene } from '../../../../support/extension/turn-scene.ts';

const USER = siteMessage('user', 'u1');
const RUNNING = siteMessage('assistant', 'a1', { state: 'running' });
const BLOCKS: ShownAnswer = { isFinal: true, messageId: 'a1', text: '```baa\nx\n```\n' };
const DAY_MS = 86_400_000;

/** A turn whose answer was handed over, after our reading was asked for. */
const asked = () => new TurnScene().send().decoded({ type: 'handoff', conversationId: 'c1' }).page().wait(10_000);
const shows = (scene: TurnScene) => scene.effects.filter(({ type }) => type === 'show').length;
const shown = (scene: TurnScene, answer: ShownAnswer) => {
  const turnId = scene.state.turns[0]?.id ?? '';
  return scene.on({ type: 'shown', turnId, answer });
};
const sources = (scene: TurnScene) => scene.effects.flatMap((one) => (one.type === 'offer' ? one.answer.source : []));

it('a failed reading leaves the answer to the page, whose blocks are offered with their source', () => {
  const scene = asked().ownReading(null).wait(TURN_LIMITS.settle);
  expect(shows(scene)).toBe(1);
  expect(shown(scene, BLOCKS).offers).toEqual([{ messageId: 'a1', text: '```baa\nx\n```\n', conversationId: 'c1' }]);
  expect(sources(scene)).toEqual(['dom']);
});

it('a reading of an answer in progress leaves it to the page, once that has settled', () => {
  const scene = asked()
    .ownReading([USER, RUNNING])
    .wait(10 * TURN_LIMITS.settle);
  expect(shows(scene)).toBe(0);
  expect(shows(scene.page().wait(TURN_LIMITS.settle))).toBe(1);
});

it('a reading without the answer does not leave it to the page', () => {
  const scene = asked().ownReading([USER]).page().wait(DAY_MS);
  expect(shows(scene)).toBe(0);
  expect(scene.reports).toContain('answer_not_in_reading');
});

it('no page is asked while our reading is still to come', () => {
  expect(shows(asked().page().wait(DAY_MS))).toBe(0);
});

it('a page that cannot give the answer is asked a few times, then why is reported and the turn stays open', () => {
  const scene = asked().ownReading(null);
  for (let n = 0; n < 10; n += 1)
    shown(scene.wait(TURN_LIMITS.showAgain), { isFinal: false, reason: 'block_not_whole' });
  expect(shows(scene)).toBe(TURN_LIMITS.shows);
  expect(scene.reports).toEqual(['answer_not_in_reading', 'answer_not_taken_from_page: block_not_whole']);
  expect(scene.offers).toEqual([]);
  const read = scene.reading([USER, siteMessage('assistant', 'a1')]);
  expect(read.offers).toMatchObject([{ messageId: 'a1', text: 'text of a1' }]);
  expect(sources(read)).toEqual(['network']);
});

it('an answer that a reading of the page has brought meanwhile is not taken from the page again', () => {
  const scene = asked().ownReading(null).wait(TURN_LIMITS.settle);
  const turnId = scene.state.turns[0]?.id ?? '';
  scene.reading([USER, siteMessage('assistant', 'a1')]).on({ type: 'shown', turnId, answer: BLOCKS });
  expect(scene.offers).toHaveLength(1);
  scene.store().on({ type: 'shown', turnId, answer: BLOCKS });
  expect(scene.offers).toHaveLength(1);
});

it('a message that was handed on before is not handed on again from the page', () => {
  const scene = asked().ownReading(null).wait(TURN_LIMITS.settle);
  shown(scene, BLOCKS).store();
  scene.send({ kind: 'regenerate' }, 'r2').decoded({ type: 'handoff', conversationId: 'c1' }, { requestId: 'r2' });
  scene.page().wait(10_000).ownReading(null).wait(TURN_LIMITS.settle);
  expect(shown(scene, BLOCKS).offers).toHaveLength(1);
});

it('a page that was being asked when the background page ended is asked again', () => {
  const scene = asked().ownReading(null).wait(TURN_LIMITS.settle).restart();
  expect(shows(scene.wait(TURN_LIMITS.showAgain))).toBe(2);
  expect(shown(scene, BLOCKS).offers).toHaveLength(1);
});

it('the agent gets the blocks with the source dom and without a second opinion', async () => {
  const env = new TestEnv().pair();
  env.openTabs = [{ id: 1, url: `${ORIGIN}/c/c1`, title: 'A chat' }];
  const orders: ShowOrder[] = [];
  env.onPageCall = (_tabId, { call, order }) => {
    if (call === 'read') return { kind: 'response', status: 500, contentType: '', isChallenge: false, body: '' };
    if (call === 'show') return orders.push(order as ShowOrder) && BLOCKS;
    return call === 'opinion' ? 'agrees' : undefined;
  };
  const { turns } = startBackground(env.env);
  await env.greet();
  const since = env.clock.now();
  await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [{ type: 'handoff', conversationId: 'c1' }]);
  const look = {
    address: { kind: 'conversation', conversationId: 'c1' },
    isAnswering: false,
    isOver: false,
    lastAnswer: null,
  } as const;
  turns.onPage('claude', 1, look as unknown as Parameters<typeof turns.onPage>[2]);
  await env.clock.flush();
  for (let n = 0; n < 20; n += 1) {
    env.clock.advance(1_000);
    await env.clock.flush();
  }
  expect(orders).toEqual([{ conversationId: 'c1', answerIds: [], questionId: 'u1', since }]);
  const [message] = await env.finalMessages(1);
  expect(message).toMatchObject({
    assistant_message_id: 'a1',
    raw_text: '```baa\nx\n```\n',
    capture: { source: 'dom', other: 'absent' },
  });
});
