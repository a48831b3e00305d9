/** The page of the fake Gemini: a list of conversations, the turns of the open one, and a composer with one button. */
import type { MountedEditor } from '../../editors/page/editor.ts';
import { mountEditor } from '../../editors/page/quill.ts';
import type { PageConfig } from '../plan.ts';
import type { ShownAnswer } from './service.ts';
import { ask, callBatch } from './service.ts';
import { choice, LABELS, make, modelResponse, userQuery } from './view.ts';

interface Turn {
  question: string;
  answer: ShownAnswer | null;
  state: 'running' | 'finished' | 'broken';
}

const config = JSON.parse(document.querySelector('#fake-config')?.textContent ?? '{}') as PageConfig;
const labels = LABELS[config.language];
const history = make('chat-history');
const slot = make('div', { class: 'send-button-container' });
const list = make('nav');
let turns: Turn[] = [];
let isAnswering = false;
let conversation = addressed();

function addressed(): string {
  const [, hex] = /\/(?:app|gem\/[^/]+)\/([0-9a-f]{10,})$/.exec(location.pathname) ?? [];
  return hex === undefined ? '' : `c_${hex}`;
}

const editor = layOut();
void load();

function layOut(): MountedEditor {
  const composer = make('rich-textarea');
  const chip = (_document: Document, name: string) =>
    make('div', { class: 'attachment-preview-wrapper' }, make('uploader-file-preview', {}, name));
  const mounted = mountEditor(composer, { attributes: { 'aria-label': 'Enter a prompt here' }, chip });
  composer.append(make('div', { class: 'ql-clipboard', contenteditable: 'true', tabindex: '-1' }));
  mounted.onSubmit = send;
  mounted.onChange = showSlot;
  const signIn = make('a', { href: 'https://accounts.google.com/ServiceLogin?continue=x' }, labels.signIn);
  const main = make('main', {}, history, composer, slot);
  if (!config.isSignedIn) main.prepend(signIn);
  document.body.append(list, main);
  return mounted;
}

async function load(): Promise<void> {
  if (conversation !== '') {
    const stored = (await callBatch('hNvQHb', [conversation, 10, null, 1, [0], [4], null, 1])) as [unknown[]];
    turns = stored[0].toReversed().map(storedTurn);
  }
  show();
}

function storedTurn(turn: unknown): Turn {
  const [[name, id], , [[question]], [candidates]] = turn as [string[], null, [[string]], [unknown[][]]];
  const [first] = candidates;
  const [text = ''] = (first?.[1] ?? []) as string[];
  const answer = {
    conversation: name ?? '',
    turn: id ?? '',
    id: String(first?.[0] ?? ''),
    text,
    thoughts: '',
    drafts: 0,
  };
  return { question, answer: first ? { ...answer, isComplete: true } : null, state: 'finished' };
}

function send(): void {
  const text = editor.text();
  if (text.trim() === '' || isAnswering) return;
  editor.clear();
  put(text, turns);
}

/** Asks the last question again: the turn is replaced. */
export function regenerate(): void {
  const last = turns.at(-1);
  if (last) put(last.question, turns.slice(0, -1));
}

/** Asks another question in the place of the last one. */
export function edit(text: string): void {
  put(text, turns.slice(0, -1));
}

/** What the page shows as its text, for a test. */
export function composed(): string {
  return editor.text();
}

function put(question: string, before: readonly Turn[]): void {
  const last = before.at(-1)?.answer;
  const turn: Turn = { question, answer: null, state: 'running' };
  turns = [...before, turn];
  isAnswering = true;
  show();
  const follows = [conversation, last?.turn ?? '', last?.id ?? ''] as const;
  const { isTemporary } = config;
  ask(
    { text: question, follows, isTemporary },
    (answer) => showAnswer(turn, answer),
    (status) => showEnd(turn, status),
  );
}

function showAnswer(turn: Turn, answer: ShownAnswer): void {
  if (conversation === '' && answer.conversation !== '') {
    conversation = answer.conversation;
    if (!config.isTemporary) showAddress();
  }
  // The page shows an answer once it has a text or thoughts.
  if (answer.text !== '' || answer.thoughts !== '') turn.answer = answer;
  show();
}

function showAddress(): void {
  const base = location.pathname.replace(/\/$/, '');
  window.history.pushState(null, '', `${base}/${conversation.slice('c_'.length)}`);
}

function showEnd(turn: Turn, status: number): void {
  turn.state = status === 200 && turn.answer?.isComplete === true ? 'finished' : 'broken';
  isAnswering = false;
  show();
}

function show(): void {
  const kept = config.keepsTurns === null ? turns : turns.slice(-config.keepsTurns);
  history.replaceChildren(...kept.flatMap(shownTurn));
  list.replaceChildren(...shownEntry());
  showSlot();
}

function shownTurn({ question, answer, state }: Turn): HTMLElement[] {
  const waiting =
    state === 'running' ? make('pending-response') : make('div', { class: 'error-message' }, 'Something went wrong');
  if (!answer) return [userQuery(question), waiting];
  const response = modelResponse(answer, config.language, state === 'finished');
  return [userQuery(question), state === 'finished' && answer.drafts > 0 ? choice(response) : response];
}

function shownEntry(): HTMLElement[] {
  if (conversation === '' || config.isTemporary) return [];
  const attributes = { 'data-test-id': `conversation_${conversation}`, class: 'conversation selected' };
  return [make('div', attributes, turns[0]?.question.slice(0, 20) ?? '')];
}

/** The button is there once there is text, and stops while an answer is written. It stays the same element. */
function showSlot(): void {
  if (editor.text().trim() === '' && !isAnswering) {
    slot.replaceChildren();
    return;
  }
  const button = slot.querySelector('button') ?? addButton();
  button.className = isAnswering ? 'send-button stop' : 'send-button';
  button.setAttribute('aria-label', isAnswering ? labels.stop : labels.send);
  button.querySelector('mat-icon')?.setAttribute('fonticon', isAnswering ? 'stop' : 'send');
}

function addButton(): HTMLElement {
  const button = make('button', {}, make('mat-icon'));
  button.addEventListener('click', () => (isAnswering ? void callBatch('NkpXw', [conversation]) : send()));
  slot.append(button);
  return button;
}
