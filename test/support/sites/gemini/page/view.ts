/** The elements of the fake page, with the names and classes that the live page has. */
import type { Language } from '../plan.ts';
import type { ShownAnswer } from './service.ts';

export const LABELS: Record<Language, { send: string; stop: string; said: string; signIn: string }> = {
  en: { send: 'Send message', stop: 'Stop response', said: 'Gemini said', signIn: 'Sign in' },
  de: { send: 'Nachricht senden', stop: 'Antwort anhalten', said: 'Gemini sagte', signIn: 'Anmelden' },
  zh: { send: '发送', stop: '停止回答', said: 'Gemini 说', signIn: '登录' },
};

/** An element with attributes and children. */
export function make(
  tag: string,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function userQuery(text: string): HTMLElement {
  const lines = text.split('\n').map((one) => make('p', { class: 'query-text-line' }, one));
  const hidden = make('span', { class: 'cdk-visually-hidden' }, 'You said');
  return make('user-query', {}, make('user-query-content', {}, make('div', { class: 'query-text' }, hidden, ...lines)));
}

export function modelResponse(answer: ShownAnswer, language: Language, isFinished: boolean): HTMLElement {
  const parts: HTMLElement[] = [make('h2', { class: 'cdk-visually-hidden' }, LABELS[language].said)];
  if (answer.thoughts !== '') parts.push(make('model-thoughts', {}, answer.thoughts));
  const id = `model-response-message-content${answer.turn}`;
  const markdown = make('div', { id, class: 'markdown markdown-main-panel' }, ...rendered(answer.text));
  parts.push(make('message-content', {}, markdown));
  parts.push(make('div', { class: isFinished ? 'response-footer complete' : 'response-footer' }));
  if (isFinished) parts.push(make('message-actions'));
  return make('model-response', {}, ...parts);
}

/** Two whole answers, of which the person is asked to choose one. */
export function choice(response: HTMLElement): HTMLElement {
  return make('dual-model-response', {}, 'Which response is more helpful?', response);
}

/** Paragraphs and blocks of code of a Markdown text. */
function rendered(text: string): HTMLElement[] {
  return text.split(/^(```[\s\S]*?(?:^```$|(?![\s\S])))/m).flatMap((part) => {
    const [, language, code] = /^```(.*)\n([\s\S]*?)\n?(?:```)?$/.exec(part) ?? [];
    if (part.startsWith('```') && code !== undefined) return [codeBlock(language ?? '', code)];
    return part.trim() === '' ? [] : [make('p', {}, part.trim())];
  });
}

function codeBlock(language: string, code: string): HTMLElement {
  const label = language.charAt(0).toUpperCase() + language.slice(1);
  const head = make(
    'div',
    { class: 'code-block-decoration' },
    make('span', {}, label),
    make('div', { class: 'buttons' }),
  );
  const text = make('pre', {}, make('code', { class: 'code-container' }, code));
  return make('code-block', {}, make('div', { class: 'code-block' }, head, text));
}
