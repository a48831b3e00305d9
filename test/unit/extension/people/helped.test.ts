/** What the overlay shows of a page that is being helped because its answer does not end. */
import { JSDOM } from 'jsdom';
import { h, render } from 'preact';
import { afterEach, expect, it, vi } from 'vitest';
import { PanelBody } from '../../../../extension/overlay/panel.tsx';
import { english, FORMAT, NOW, viewOf } from './views.ts';

afterEach(() => vi.unstubAllGlobals());

/** Presses the button of that text in the panel of a page; returns what was asked for. Null: there is no such button. */
function press(label: string, conversationId: string): unknown[] | null {
  const { document } = new JSDOM('<main></main>').window;
  vi.stubGlobal('document', document);
  const asked: unknown[] = [];
  const actions = {
    stateOf: () => ({ isPending: false, error: null }),
    press: (_event: unknown, _key: string, action: unknown) => void asked.push(action),
    review: null,
    isGenuine: () => true,
    dismiss: () => undefined,
  };
  const place = { platform: 'chatgpt', address: { kind: 'conversation', conversationId } } as const;
  const view = viewOf({ helped: [{ platform: 'chatgpt', conversationId: 'c1' }] });
  const props = { view, place, now: NOW, t: english(), format: FORMAT, actions, onOptions: () => undefined };
  render(h(PanelBody, props), document.querySelector('main') as Element);
  const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === label);
  button?.click();
  return button === undefined ? null : asked;
}

it('a person can have the page of this conversation left alone', () => {
  const order = { order: 'stop_help', platform: 'chatgpt', conversation_id: 'c1' };
  expect(press('Leave this page alone', 'c1')).toEqual([order]);
});

it('nothing of it is shown in another conversation', () => {
  expect(press('Leave this page alone', 'c2')).toBeNull();
});
