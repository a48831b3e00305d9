/** Which keys of a person count as typing. */
import { describe, expect, it } from 'vitest';
import { watchKeyboard } from '../../../../extension/content/keyboard.ts';

/** A page whose events the test makes, as a person or as a script. */
class Page {
  composed = '';
  now = 1_000;
  readonly #listeners = new Map<string, (event: object) => void>();
  readonly keyboard = watchKeyboard({
    document: { addEventListener: (name: string, run: never) => this.#listeners.set(name, run) } as never,
    composedText: () => this.composed,
    now: () => this.now,
  });

  event(name: 'keydown' | 'click', more: object = {}): void {
    this.now += 10;
    this.#listeners.get(name)?.({ isTrusted: true, key: 'a', ...more });
  }

  /** A person types a text and sends it by `name`; the composer is empty afterwards. */
  sends(text: string, name: 'keydown' | 'click' = 'keydown'): void {
    this.event('keydown');
    this.composed = text;
    this.event(name, { key: 'Enter' });
    this.composed = '';
  }
}

describe('the keys of a person', () => {
  it('count from the newest one on', () => {
    const page = new Page();
    expect(page.keyboard.typedAt()).toBeNull();
    page.event('keydown');
    expect(page.keyboard.typedAt()).toBe(page.now);
  });

  it('are none of a script', () => {
    const page = new Page();
    page.event('keydown', { isTrusted: false });
    expect(page.keyboard.typedAt()).toBeNull();
  });

  it.each(['keydown', 'click'] as const)('count no more when their message, sent by a %s, is answered', (name) => {
    const page = new Page();
    page.sends('hello\nthere', name);
    expect(page.keyboard.typedAt()).not.toBeNull();
    page.keyboard.answered('hello\r\nthere');
    expect(page.keyboard.typedAt()).toBeNull();
  });

  it('count when another text is answered than they have sent', () => {
    const page = new Page();
    page.sends('hello');
    page.keyboard.answered('an earlier message');
    expect(page.keyboard.typedAt()).not.toBeNull();
  });

  it('count when they come after the press that sent the answered message', () => {
    const page = new Page();
    page.sends('hello');
    page.event('keydown');
    page.keyboard.answered('hello');
    expect(page.keyboard.typedAt()).toBe(page.now);
  });

  it('count when the message was sent without a press of a person, as by the conductor', () => {
    const page = new Page();
    page.event('keydown');
    page.composed = 'carry on';
    page.event('click', { isTrusted: false });
    page.keyboard.answered('carry on');
    expect(page.keyboard.typedAt()).not.toBeNull();
  });

  it('count when a press beside the empty composer came between, and the message is not answered', () => {
    const page = new Page();
    page.sends('hello');
    page.event('click');
    expect(page.keyboard.typedAt()).not.toBeNull();
    page.keyboard.answered('hello');
    expect(page.keyboard.typedAt()).toBeNull();
  });
});
