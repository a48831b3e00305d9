/** What a page may give as the answer of a turn. */
import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { watchInterruptions } from '../../../../extension/content/interruptions.ts';
import { showAnswer } from '../../../../extension/content/shown-answer.ts';
import { baaBlocks } from '../../../../extension/lib/baa-blocks.ts';
import { fencedBlocks } from '../../../../extension/lib/fenced-blocks.ts';
import type { ShowOrder } from '../../../../extension/messages.ts';
import type { FinalInPage } from '../../../../extension/sites/page.ts';
import { readMessage } from '../../../../local-agent/instructions/read-message.ts';
import { ORIGIN, testPage, testSite } from '../../../support/extension/test-site.ts';
import { TestClock } from '../../../support/test-clock.ts';

const FINAL: FinalInPage = { isFinal: true, id: 'a1', questionId: 'u1', blocks: ['@conductor::status'] };
const ORDER: ShowOrder = { conversationId: 'c1', answerIds: [], questionId: 'u1', since: 1_000 };

interface Given {
  looks?: FinalInPage[];
  order?: Partial<ShowOrder>;
  path?: string;
  named?: string | null;
  startedAt?: number;
  interruptedAt?: number | null;
}

async function shown({ looks = [FINAL], order, path = '/c/c1', named = null, ...more }: Given = {}) {
  const { document } = new JSDOM('<body></body>').window;
  const clock = new TestClock();
  let look = -1;
  const finalAnswer = () => {
    look += 1;
    return looks[Math.min(look, looks.length - 1)] ?? FINAL;
  };
  const page = { ...testPage, finalAnswer, shownConversation: () => named };
  const { startedAt = 0, interruptedAt = null } = more;
  const site = { ...testSite(), page };
  const location = { href: `${ORIGIN}${path}` };
  const parts = { document, location, site, clock, startedAt, interruptedAt: () => interruptedAt };
  const answer = showAnswer(parts, { ...ORDER, ...order });
  await clock.flush();
  clock.advance(2_000);
  return await answer;
}

describe('an answer in the page', () => {
  it.each<[string, Given]>([
    ['follows the question of the turn', {}],
    ['has an id of the turn', { order: { questionId: null, answerIds: ['a0', 'a1'] } }],
    ['is in the conversation that the document names', { named: 'c1' }],
    ['was written after the person pressed something for the last time', { interruptedAt: 999 }],
  ])('is taken as its blocks when it %s', async (_what, given) => {
    expect(await shown(given)).toEqual({ isFinal: true, messageId: 'a1', text: '```baa\n@conductor::status\n```\n' });
  });

  it.each<[string, string, Given]>([
    ['other_answer', 'answers another question', { order: { questionId: 'u0' } }],
    ['other_answer', 'has no id that the turn knows', { order: { questionId: null, answerIds: ['a0'] } }],
    ['other_conversation', 'is at another address', { path: '/c/c2' }],
    ['other_conversation', 'is in a document that names another conversation', { named: 'c2' }],
    ['changes', 'changes between two looks', { looks: [FINAL, { ...FINAL, blocks: ['x'] } as FinalInPage] }],
    ['not_finished', 'is not finished at the second look', { looks: [FINAL, { isFinal: false, reason: 'x' }] }],
    ['page_loaded_later', 'is in a page that was loaded after the question', { startedAt: 1_001 }],
    ['may_have_been_stopped', 'was written while the person pressed something', { interruptedAt: 1_000 }],
  ])('is not taken (%s) when it %s', async (reason, _what, given) => {
    const expected = reason === 'not_finished' ? 'changes' : reason;
    expect(await shown(given)).toEqual({ isFinal: false, reason: expected });
  });

  it('is not taken from the page of a site that has no marks for it', async () => {
    const { document } = new JSDOM('<body></body>').window;
    const location = { href: `${ORIGIN}/c/c1` };
    const parts = { document, location, site: testSite(), clock: new TestClock(), startedAt: 0 };
    const answer = await showAnswer({ ...parts, interruptedAt: () => null }, ORDER);
    expect(answer).toEqual({ isFinal: false, reason: 'page_has_no_marks' });
  });
});

describe('a press of the person', () => {
  function watch(isAnswering: boolean) {
    const { window } = new JSDOM('<body><button></button></body>');
    const { document } = window;
    // jsdom makes no trusted event, so that the listener is called with one.
    const listeners: ((event: Event) => void)[] = [];
    const add = (_name: string, run: (event: Event) => void) => listeners.push(run);
    const watched = { addEventListener: add } as unknown as Document;
    const interruptions = watchInterruptions(
      watched,
      () => isAnswering,
      () => 7,
    );
    const press = (isTrusted: boolean) => {
      const event = { ...new window.Event('click'), isTrusted, target: document.body } as unknown as Event;
      for (const run of listeners) run(event);
      return interruptions.at();
    };
    return press;
  }

  it('counts while an answer is being written, and only when no script has made it', () => {
    const press = watch(true);
    expect(press(false)).toBeNull();
    expect(press(true)).toBe(7);
    expect(watch(false)(true)).toBeNull();
  });
});

describe('blocks as Markdown', () => {
  it.each([
    ['plain', ['a\nb']],
    ['several', ['a', '', 'b\n\n']],
    ['with a fence of the same length inside', ['x\n```\ny\n```']],
    ['with a longer fence inside', ['x\n`````\ny']],
    ['with tildes inside', ['~~~\nx\n~~~']],
  ])('are read as the same blocks again: %s', (_what, blocks) => {
    expect(baaBlocks(fencedBlocks(blocks) ?? '')).toEqual(blocks);
  });

  it('are none when they cannot be read again, or are too long', () => {
    expect(fencedBlocks(['a\rb'])).toBeNull();
    expect(fencedBlocks(['x'.repeat(1_048_577)])).toBeNull();
  });

  it('keep the marks by which the agent sees that a fence inside has cut them', () => {
    const cut = fencedBlocks(["@conductor::exec::cat > a.md <<'EOF'\n```bash\nnpm test"]) ?? '';
    const { instructions, errors } = readMessage(cut);
    expect(instructions).toEqual([]);
    expect(errors[0]?.code).toBe('cut_block');
  });
});
