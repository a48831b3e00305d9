/** The messages of the open conversation, and their rows in the document. */
import type { PageConfig } from '../page-files.ts';

export interface Turn {
  id: string;
  /** Empty for the first message. */
  parentId: string;
  role: 'human' | 'assistant';
  text: string;
  isStreaming: boolean;
}

/** After that time a late key is there. */
const LATE_KEY_MS = 300;
const FENCE = /^```(\S*)\n([\s\S]*?)(?:\n```$|$(?![\s\S]))/gm;

export class Thread {
  readonly turns = new Map<string, Turn>();
  leaf = '';
  readonly #place: HTMLElement;
  readonly #config: PageConfig;
  readonly #firstReplies = new Map<string, string>();

  constructor(place: HTMLElement, config: PageConfig) {
    this.#place = place;
    this.#config = config;
  }

  put(turn: Turn): void {
    this.turns.set(turn.id, turn);
    if (turn.role === 'assistant' && !this.#firstReplies.has(turn.parentId)) {
      this.#firstReplies.set(turn.parentId, turn.id);
    }
  }

  clear(): void {
    this.turns.clear();
    this.leaf = '';
  }

  get branch(): Turn[] {
    const branch: Turn[] = [];
    for (let at = this.turns.get(this.leaf); at; at = this.turns.get(at.parentId)) branch.unshift(at);
    return branch;
  }

  render(): void {
    const shown = this.branch.slice(-(this.#config.newestRows ?? 1000));
    const rows = shown.map((turn) => (this.#config.accounts === 'merged' ? this.#row(turn) : legacyRow(turn)));
    this.#place.replaceChildren(...rows);
    this.#place.scrollTop = this.#place.scrollHeight;
  }

  #row(turn: Turn): HTMLElement {
    const row = element('div', { 'data-testid': 'transcript-row', 'data-perf-row': turn.role });
    const content = element('div', { 'data-testid': turn.role === 'human' ? 'user-message' : 'assistant-message' });
    if (turn.isStreaming) row.setAttribute('data-perf-row-streaming', 'true');
    fill(content, turn);
    row.append(content);
    this.#key(row, turn);
    return row;
  }

  #key(row: HTMLElement, turn: Turn): void {
    const { turnKeys = 'own' } = this.#config;
    const isFirstReply = turn.role === 'assistant' && this.#firstReplies.get(turn.parentId) === turn.id;
    const key = turnKeys === 'hub' && isFirstReply ? `${turn.parentId}-hub-reply` : turn.id;
    if (turnKeys === 'none') return;
    if (turnKeys === 'late' && turn.role === 'assistant') {
      if (!turn.isStreaming) setTimeout(() => row.setAttribute('data-turn-key', key), LATE_KEY_MS);
    } else row.setAttribute('data-turn-key', key);
  }
}

/** As the page of a legacy account has it: no rows, no keys. */
function legacyRow(turn: Turn): HTMLElement {
  if (turn.role === 'human') {
    const message = element('div', { 'data-testid': 'user-message', class: 'human' });
    fill(message, turn);
    return message;
  }
  const group = element('div', { 'data-is-streaming': String(turn.isStreaming) });
  const message = element('div', { class: 'font-claude-response' });
  fill(message, turn);
  group.append(message);
  return group;
}

function fill(content: HTMLElement, { role, text }: Turn): void {
  let at = 0;
  for (const match of role === 'assistant' ? text.matchAll(FENCE) : []) {
    content.append(...paragraphs(text.slice(at, match.index)), codeBlock(match[1] ?? '', match[2] ?? ''));
    at = match.index + match[0].length;
  }
  content.append(...paragraphs(text.slice(at), role === 'human'));
}

function paragraphs(text: string, keepsLines = false): HTMLElement[] {
  const parts = keepsLines ? text.split('\n') : text.split(/\n\n+/).filter((part) => part.trim() !== '');
  return parts.map((part) => {
    const paragraph = document.createElement('p');
    paragraph.textContent = keepsLines ? part : part.trim();
    return paragraph;
  });
}

function codeBlock(language: string, code: string): HTMLElement {
  const block = document.createElement('div');
  const header = element('div', { class: 'code-head' });
  const copy = document.createElement('button');
  copy.textContent = 'Copy';
  header.append(language, copy);
  const pre = document.createElement('pre');
  const inner = element('code', { class: `language-${language}` });
  inner.textContent = code;
  pre.append(inner);
  block.append(header, pre);
  return block;
}

export function element(name: string, attributes: Record<string, string>): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
