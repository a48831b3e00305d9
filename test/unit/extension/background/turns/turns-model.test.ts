/**
 * Random orders of everything that can happen to turns, against what is true at the site: which answers there are, how far
 * each is, and which of them are final. Restarts, losses and repeats come at any moment.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ShownAnswer } from '../../../../../extension/messages.ts';
import type { SiteMessage } from '../../../../../extension/sites/facts.ts';
import { final, incomplete, progress, siteMessage, TurnScene } from '../../../../support/extension/turn-scene.ts';

const ANSWERS = 4;

type Fate = 'good' | 'cut_short';
interface Answer {
  fate: Fate;
  isSent: boolean;
  isDone: boolean;
  /** Whether the extension could see that it exists: its send or its progress. */
  isNoticed: boolean;
}

const anAnswer = fc.nat({ max: ANSWERS - 1 });
const actions = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('send' as const), n: anAnswer }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('progress' as const), n: anAnswer }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('end' as const), n: anAnswer, isSeen: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom('repeat' as const, 'handoff' as const, 'no_end_mark' as const, 'dropped' as const),
        n: anAnswer,
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('page' as const), isAnswering: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 20_000, 700_000) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('unreadable' as const), n: anAnswer }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'page_reads' as const,
          'own_reading' as const,
          'own_reading_fails' as const,
          'no_page' as const,
          'page_shows' as const,
          'store' as const,
          'restart' as const,
          'old_answers' as const,
        ),
      }),
    },
  ),
  { minLength: 5, maxLength: 40 },
);
type Action = typeof actions extends fc.Arbitrary<(infer One)[]> ? One : never;

/** An answer of which nothing is seen and whose conversation cannot be read, so that its page is asked twice. */
function unreadable(n: number): Action[] {
  const wait: Action = { do: 'wait', ms: 20_000 };
  const settled: Action = { do: 'page', isAnswering: false };
  return [
    { do: 'send', n },
    { do: 'handoff', n },
    ...[settled, wait, { do: 'own_reading_fails' } as const, wait, { do: 'page_shows' } as const],
    { do: 'end', n, isSeen: false },
    ...[wait, { do: 'page_shows' } as const],
  ];
}

const textOf = (n: number) => `the whole answer ${n}`;

/** The site and the extension beside it. */
class World {
  readonly scene = new TurnScene();
  readonly answers: Answer[];
  readonly phases = new Set<string>();
  readonly stored: string[] = [];
  /** Turns by the answer of our own reading that they asked for. */
  readonly asked = new Map<string, number>();
  #openReads = 0;
  #readsSeen = 0;

  constructor(fates: readonly Fate[], confirmsByReading: boolean) {
    this.answers = fates.map((fate) => ({ fate, isSent: false, isDone: false, isNoticed: false }));
    this.scene.confirmsByReading = confirmsByReading;
  }

  do(action: Action): void {
    const { scene } = this;
    switch (action.do) {
      case 'page':
        scene.page({ isAnswering: action.isAnswering });
        break;
      case 'wait':
        scene.wait(action.ms);
        break;
      case 'page_reads':
        scene.reading(this.messages());
        break;
      case 'own_reading':
        this.#respond(this.messages(), true);
        break;
      case 'own_reading_fails':
        this.#respond(null, true);
        break;
      case 'no_page':
        this.#respond(null, false);
        break;
      case 'unreadable':
        for (const one of unreadable(action.n)) this.do(one);
        break;
      case 'page_shows':
        this.#show();
        break;
      case 'store':
        this.store();
        break;
      case 'restart':
        scene.restart();
        // A reading that was under way is lost, and may be asked for again.
        this.#openReads = 0;
        this.asked.clear();
        break;
      case 'old_answers':
        scene.decoded(final({ messageId: 'old', userMessageId: 'older' }, { history: true }), { role: 'stream' });
        break;
      default:
        this.#stream(action.do, action.n, 'isSeen' in action && action.isSeen);
    }
    this.#look();
  }

  /** What the site would say of the conversation now. */
  messages(): SiteMessage[] {
    const messages = [siteMessage('user', 'older'), siteMessage('assistant', 'old')];
    for (const [n, { isSent, isDone, fate }] of this.answers.entries()) {
      if (!isSent) continue;
      const state = !isDone ? 'running' : fate === 'good' ? 'final' : 'incomplete';
      messages.push(siteMessage('user', `u${n}`), siteMessage('assistant', `a${n}`, { text: textOf(n), state }));
    }
    return messages;
  }

  store(): void {
    for (const { id, phase, final: answer } of this.scene.state.turns) {
      if (phase !== 'offered' || answer === null) continue;
      this.stored.push(answer.messageId);
      this.scene.on({ type: 'stored', turnId: id });
    }
  }

  #stream(
    what: 'send' | 'progress' | 'end' | 'repeat' | 'handoff' | 'no_end_mark' | 'dropped',
    n: number,
    isSeen: boolean,
  ) {
    const answer = this.answers[n];
    if (answer === undefined || (what !== 'send' && !answer.isSent)) return;
    const { scene } = this;
    const names = { messageId: `a${n}`, userMessageId: `u${n}` };
    const request = { requestId: `r${n}` };
    if (what === 'send' && !answer.isSent) {
      Object.assign(answer, { isSent: true, isNoticed: true });
      scene.send({ userMessageId: `u${n}` }, request.requestId);
    } else if (what === 'progress' && !answer.isDone) {
      scene.decoded(progress(names), request);
    } else if (what === 'end' && !answer.isDone) {
      answer.isDone = true;
      if (isSeen) this.#sayEnd(answer.fate, n);
    } else if (what === 'repeat' && answer.isDone) {
      if (answer.fate === 'good') scene.decoded(final(names, { text: textOf(n), history: true }), { role: 'stream' });
    } else if (what === 'handoff') {
      scene.decoded({ type: 'handoff', conversationId: 'c1' }, request);
    } else if (what === 'no_end_mark') {
      scene.decoded(incomplete('no_end_mark', null), request);
    } else if (what === 'dropped') {
      scene.ended('NS_ERROR_NET_RESET', request.requestId);
    }
  }

  #sayEnd(fate: Fate, n: number): void {
    const names = { messageId: `a${n}`, userMessageId: `u${n}` };
    const request = { requestId: `r${n}` };
    if (fate === 'good') this.scene.decoded(final(names, { text: textOf(n) }), request);
    else this.scene.decoded(incomplete('max_tokens', names), request);
  }

  #respond(messages: SiteMessage[] | null, wasAsked: boolean): void {
    if (this.#openReads === 0) return;
    this.#openReads -= 1;
    this.scene.ownReading(messages, wasAsked);
    const turn = this.scene.effects.findLast((effect) => effect.type === 'read')?.turn.id ?? '';
    if (!wasAsked) this.asked.delete(turn);
  }

  /** Pages that were asked show the answer, unless it is still being written or was cut short. */
  #show(): void {
    for (const { id, userMessageId, reading } of this.scene.state.turns) {
      if (reading !== 'looking') continue;
      const n = Number(userMessageId?.slice(1));
      const { isDone = false, fate = 'cut_short' } = this.answers[n] ?? {};
      const isFinal = isDone && fate === 'good';
      const answer: ShownAnswer = isFinal
        ? { isFinal, messageId: `a${n}`, text: textOf(n) }
        : { isFinal: false, reason: 'not_finished' };
      this.scene.on({ type: 'shown', turnId: id, answer });
      if (isFinal) shownFinal += 1;
    }
  }

  #look(): void {
    for (const { phase } of this.scene.state.turns) this.phases.add(phase);
    const reads = this.scene.effects.filter((effect) => effect.type === 'read');
    for (const { turn } of reads.slice(this.#readsSeen)) {
      this.asked.set(turn.id, (this.asked.get(turn.id) ?? 0) + 1);
      this.#openReads += 1;
    }
    this.#readsSeen = reads.length;
  }
}

let shownFinal = 0;
const visited = new Map<string, number>();

test('in any order of events, every final answer becomes one message, and nothing else becomes one', () => {
  const fates = fc.array(fc.constantFrom<Fate>('good', 'good', 'cut_short'), {
    minLength: ANSWERS,
    maxLength: ANSWERS,
  });
  const property = fc.property(fates, fc.boolean(), actions, (given, confirms, list) => {
    const world = new World(given, confirms);
    for (const action of list) world.do(action);
    // In the end every answer ends, the page is loaded again, and the queue takes everything.
    for (const answer of world.answers) answer.isDone = true;
    world.do({ do: 'page_reads' });
    world.do({ do: 'wait', ms: 700_000 });
    world.store();
    const whole = world.answers.flatMap(({ fate, isNoticed }, n) => (fate === 'good' && isNoticed ? [`a${n}`] : []));
    expect([...world.stored].sort()).toEqual(whole);
    for (const { messageId, text } of world.scene.offers) expect(text).toBe(textOf(Number(messageId.slice(1))));
    for (const [, reads] of world.asked) expect(reads).toBe(1);
    for (const phase of world.phases) visited.set(phase, (visited.get(phase) ?? 0) + 1);
  });
  fc.assert(property, { numRuns: 2_000 });
  for (const phase of ['streaming', 'waiting', 'confirming', 'offered']) {
    expect(visited.get(phase) ?? 0, phase).toBeGreaterThan(50);
  }
  expect(shownFinal).toBeGreaterThan(0);
});
