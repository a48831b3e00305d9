/** The elements of both renderers. */
import type { PageSettings } from '../html.ts';
import { drawAnswer } from './markdown.ts';

export interface ViewMessage {
  id: string;
  role: 'user' | 'assistant';
  text: string;
  isFinished: boolean;
  /** The other of two answers between which the person chooses. */
  isVariant?: boolean;
}

export interface Actions {
  regenerate(): void;
  edit(id: string, text: string): void;
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function drawTurn(message: ViewMessage, index: number, settings: PageSettings, actions: Actions): HTMLElement {
  return settings.renderer === 'legacy'
    ? legacyTurn(message, index, settings, actions)
    : shellTurn(message, settings, actions);
}

function body({ role, text }: ViewMessage, settings: PageSettings, attributes: Record<string, string>): HTMLElement {
  const host = element('div', attributes);
  if (role === 'user') host.textContent = text;
  else drawAnswer(host, text, settings);
  return host;
}

function legacyTurn(message: ViewMessage, index: number, settings: PageSettings, actions: Actions): HTMLElement {
  const { id, role, isFinished } = message;
  const text =
    role === 'user'
      ? body(message, settings, { class: 'whitespace-pre-wrap' })
      : body(message, settings, { class: `markdown prose${isFinished ? '' : ' result-streaming'}` });
  const said = element('h5', { class: 'sr-only' }, role === 'user' ? 'You said:' : 'ChatGPT said:');
  const holder = element('div', { 'data-message-id': id, 'data-message-author-role': role }, text);
  const turn = element('article', { 'data-testid': `conversation-turn-${index + 1}`, 'data-turn': role }, said, holder);
  if (isFinished) turn.append(buttons(message, actions, { 'data-testid': 'copy-turn-action-button' }));
  if (message.isVariant)
    turn.append(element('button', { 'data-testid': 'paragen-prefer-response-button' }, 'I prefer this'));
  return turn;
}

function shellTurn(message: ViewMessage, settings: PageSettings, actions: Actions): HTMLElement {
  const { id, role, isFinished } = message;
  const style: Record<string, string> =
    role === 'user' ? { class: 'whitespace-pre-wrap' } : { 'data-markdown-text-style': 'assistant-message' };
  if (role === 'assistant' && !isFinished) style['data-markdown-animated'] = '';
  const unit = element(
    'div',
    {
      'data-unit': role,
      'data-chatgpt-search-unit-key': `key-${id}:${role}`,
      'data-chatgpt-search-message-ids': role === 'user' ? id : `tool-of-${id} ${id}`,
    },
    body(message, settings, style),
  );
  const turn = element('div', { 'data-turn-key': `key-${id}` }, unit);
  if (isFinished) turn.append(element('div', { class: 'turn-action-controls' }, buttons(message, actions, {})));
  return turn;
}

/** What a person does with a message: make the answer again, or ask something else in its place. */
function buttons({ id, role, text }: ViewMessage, actions: Actions, copy: Record<string, string>): HTMLElement {
  const holder = element('div', { class: 'actions' }, element('button', copy, '⧉'));
  if (role === 'assistant') {
    const again = element('button', { 'data-fake': 'regenerate' }, '↻');
    again.onclick = () => actions.regenerate();
    holder.append(again);
    return holder;
  }
  const edit = element('button', { 'data-fake': 'edit' }, '✎');
  edit.onclick = () => {
    const field = element('textarea', { 'data-fake': 'edited' });
    field.value = text;
    const save = element('button', { 'data-fake': 'save' }, '✓');
    save.onclick = () => actions.edit(id, field.value);
    holder.replaceChildren(field, save);
  };
  holder.append(edit);
  return holder;
}

/** Pages that were left stay in the app shell, hidden, with their messages and their composer. */
export function drawLeftPage(settings: PageSettings): HTMLElement {
  const old: ViewMessage = {
    id: 'left-page',
    role: 'assistant',
    text: '```baa\nfrom a left page\n```',
    isFinished: true,
  };
  const turn = drawTurn(old, 0, settings, { regenerate: () => {}, edit: () => {} });
  const box = element('div', { contenteditable: 'true', role: 'textbox' }, element('p', {}, 'old draft'));
  const form = element(
    'form',
    { 'data-chatgpt-composer': '' },
    box,
    element('button', { class: 'bg-composer-primary' }),
  );
  return element('main', { 'data-app-shell-active-page': 'false', hidden: '' }, turn, form);
}

const WORDS = {
  en: {
    limit: "You've reached our limit of messages. Your limit resets after 5:30 PM.",
    fail: 'Something went wrong.',
  },
  zh: { limit: '您已达到消息上限，请在 17:30 之后再试。', fail: '出错了。' },
  eo: { limit: 'Atingita.', fail: 'Eraro.' },
} as const;

export function drawNotice({ notice, language }: PageSettings): HTMLElement | null {
  const words = WORDS[language];
  switch (notice) {
    case 'limit':
      return element('div', { 'data-testid': 'toast', role: 'alert' }, words.limit);
    case 'tool_question':
      return element(
        'div',
        { 'data-testid': 'tool-action-buttons' },
        element('button', {}, 'Allow'),
        element('button', {}, 'Deny'),
      );
    case 'error':
      return element(
        'div',
        {},
        words.fail,
        element('button', { 'data-testid': 'regenerate-thread-error-button' }, '↻'),
      );
    case 'dialog':
      return element('div', { role: 'dialog', 'aria-modal': 'true' }, 'Look at this');
    default:
      return null;
  }
}

export { element };
