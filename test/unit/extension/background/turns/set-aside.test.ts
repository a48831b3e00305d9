/** A final message that fails on its way into the queue each time, and the room that a turn with a text keeps. */
import { describe, expect, it } from 'vitest';
import { startBackground } from '../../../../../extension/background/background.ts';
import type { PeoplePort } from '../../../../../extension/background/people/people.ts';
import type { TurnEvent } from '../../../../../extension/background/turns/events.ts';
import { MAX_SET_ASIDE, MAX_TURNS } from '../../../../../extension/background/turns/turn.ts';
import type { PeopleNews } from '../../../../../extension/people-messages.ts';
import { TestEnv } from '../../../../support/extension/test-env.ts';
import { answerOf, final, TurnScene } from '../../../../support/extension/turn-scene.ts';
import { until } from '../../../../support/until.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** After each failure, until the message is set aside. */
const WAITS_MINUTES = [1, 2, 4, 8, 16];

/** Every offer ends this way. */
function end(scene: TurnScene, why: Extract<TurnEvent, { type: 'not_stored' }>['why']): TurnScene {
  for (const { id, phase, offerAt } of scene.state.turns) {
    if (phase === 'offered' && offerAt === null) scene.on({ type: 'not_stored', turnId: id, why });
  }
  return scene;
}

function failing(scene = new TurnScene().send().decoded(final())): TurnScene {
  for (const minutes of WAITS_MINUTES) end(scene, 'failed').wait(minutes * MINUTE_MS);
  return end(scene, 'failed');
}

describe('a message that fails each time on its way into the queue', () => {
  it('is offered six times, each time after twice the wait, and then set aside', () => {
    const scene = new TurnScene().send().decoded(final());
    for (const [failures, minutes] of WAITS_MINUTES.entries()) {
      end(scene, 'failed').wait(minutes * MINUTE_MS - 1);
      expect(scene.offers).toHaveLength(failures + 1);
      scene.wait(1);
      expect(scene.offers).toHaveLength(failures + 2);
    }
    expect(scene.reports).toEqual([]);
    end(scene, 'failed').wait(7 * DAY_MS);
    expect(scene.offers).toHaveLength(6);
    expect(scene.phases).toEqual(['set_aside']);
    expect(scene.reports).toEqual(['message_set_aside']);
  });

  it('is offered no sooner after a restart of the background page, which an event page makes at every moment', () => {
    const scene = end(new TurnScene().send().decoded(final()), 'failed');
    expect(scene.restart().wait(MINUTE_MS - 1).offers).toHaveLength(1);
    expect(scene.wait(1).offers).toHaveLength(2);
    expect(failing().restart().wait(DAY_MS).offers).toHaveLength(6);
  });

  it('is kept with its text, and offered once more at each start of the browser', () => {
    const scene = failing().restart();
    expect(scene.state.turns).toMatchObject([{ final: { messageId: 'a1', text: 'the answer' } }]);
    end(scene.on({ type: 'browser_start' }), 'failed').wait(DAY_MS);
    expect(scene.offers).toHaveLength(7);
    expect(scene.phases).toEqual(['set_aside']);
    scene.on({ type: 'browser_start' }).store();
    expect(scene.offers).toHaveLength(8);
    expect(scene.state.turns).toEqual([]);
    expect(scene.state.sent).toHaveLength(1);
  });

  it('is not made final a second time by a reading of its conversation or by its stream', () => {
    const scene = failing();
    scene.reading([{ role: 'assistant', id: 'a1', parentId: null, text: 'the answer', state: 'final' }]);
    scene.decoded(final()).page();
    expect(scene.offers).toHaveLength(6);
    expect(scene.phases).toEqual(['set_aside']);
  });

  it('counts its failures from the beginning when it gets through and only finds no room', () => {
    const scene = end(new TurnScene().send().decoded(final()), 'failed').wait(MINUTE_MS);
    end(scene, 'full').wait(MINUTE_MS);
    failing(scene);
    expect(scene.offers).toHaveLength(3 + WAITS_MINUTES.length);
    expect(scene.phases).toEqual(['set_aside']);
  });

  it('is not offered before its time because the queue has room for another', () => {
    const scene = end(new TurnScene().send().decoded(final()), 'failed').on({ type: 'room' });
    expect(scene.offers).toHaveLength(1);
  });

  it('gives way when too many are set aside, and that is reported', () => {
    const scene = new TurnScene();
    for (let n = 0; n < MAX_SET_ASIDE + 1; n += 1) {
      const answer = { messageId: `a${n}`, userMessageId: `u${n}` };
      failing(scene.send({ userMessageId: `u${n}` }, `r${n}`).decoded(final(answer), { requestId: `r${n}` }));
    }
    expect(scene.state.turns.map(({ userMessageId }) => userMessageId)).toEqual(
      Array.from({ length: MAX_SET_ASIDE }, (_, n) => `u${n + 1}`),
    );
    expect(scene.reports.at(-1)).toBe('message_lost: too many are set aside');
  });

  it('is counted in what people see, and reaches the agent after a start of the browser that can take it', async () => {
    const env = new TestEnv().pair();
    env.storage.items.set('turns', structuredClone(failing().state.turns));
    const news: PeopleNews[] = [];
    env.env.people.onConnect = (listener) => {
      const { ownOrigin: url } = env.env.people;
      const no = { addListener: () => undefined };
      const port: PeoplePort = {
        name: 'people',
        sender: { url, origin: url.replace(/\/$/, '') },
        postMessage: (one) => void news.push(one),
        onMessage: no,
        onDisconnect: no,
        disconnect: () => undefined,
      };
      listener(port);
    };
    const shown = () => news.flatMap((one) => (one.news === 'view' ? one.view.setAside : [])).at(-1);
    const { ready } = startBackground(env.env);
    await ready;
    await env.greet();
    await until(() => shown() === 1);
    expect(env.socket.frames('browser.final_message')).toEqual([]);
    env.browserStart.fire();
    expect(await env.finalMessages(1)).toMatchObject([{ assistant_message_id: 'a1' }]);
    await until(() => shown() === 0);
  });
});

describe('a turn whose text waits for the queue', () => {
  const waiting = (scene: TurnScene, n: number) =>
    end(
      scene
        .send({ userMessageId: `u${n}` }, `r${n}`)
        .decoded(final({ messageId: `a${n}`, userMessageId: `u${n}` }), { requestId: `r${n}` }),
      'full',
    );

  it('is never closed for another one: an older turn without a text is, and it is reported', () => {
    const scene = waiting(new TurnScene(), 0);
    for (let n = 1; n < MAX_TURNS + 5; n += 1) scene.send({ userMessageId: `u${n}` }, `r${n}`);
    expect(scene.state.turns).toHaveLength(MAX_TURNS);
    expect(scene.state.turns[0]).toMatchObject({ userMessageId: 'u0', final: { messageId: 'a0' } });
    expect(scene.reports).toEqual(Array.from({ length: 5 }, () => 'too_many_turns'));
  });

  it('is kept when all others have a text too: the new turn is given up, and it is reported', () => {
    const scene = new TurnScene();
    for (let n = 0; n < MAX_TURNS; n += 1) waiting(scene, n);
    expect(scene.reports).toEqual([]);
    scene.send({ userMessageId: 'new' }, 'new');
    expect(scene.state.turns.map(({ final: text }) => text?.messageId)).toEqual(
      Array.from({ length: MAX_TURNS }, (_, n) => `a${n}`),
    );
    expect(scene.reports).toEqual(['too_many_turns']);
  });

  it('is kept when a later session of the browser uses the number of its request again', () => {
    const scene = waiting(new TurnScene(), 1).restart().wait(1).send({ userMessageId: 'u2' }, 'r1');
    const answer = answerOf({ messageId: 'a2', userMessageId: 'u2' });
    scene.decoded({ type: 'final', answer, text: 'the second', history: false });
    expect(scene.store().state.sent).toEqual(['["claude","c1","a1"]', '["claude","c1","a2"]']);
  });
});
