/** What became of the reader's last action: confirmed by the edge, or why it was not done. */
import type { EdgeError } from '../api/client.ts';
import { language, word } from '../texts/texts.ts';

export interface Notice {
  id: number;
  tone: 'good' | 'bad';
  title: string;
  /** Who did it and when, or what to do next. */
  detail: string;
}

export class Notices {
  #current: Notice | null = null;
  #count = 0;
  readonly #listeners = new Set<() => void>();

  get current(): Notice | null {
    return this.#current;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  say(notice: Omit<Notice, 'id'>): void {
    this.#count += 1;
    this.#set({ ...notice, id: this.#count });
  }

  dismiss(): void {
    this.#set(null);
  }

  #set(notice: Notice | null): void {
    this.#current = notice;
    for (const listener of this.#listeners) listener();
  }
}

/** The words of the edge, which are English, with the meaning of the code for other readers; and the request in its log. */
export function describeError({ code, message, requestId }: EdgeError): string {
  const said = language() === 'en' ? message : `${word('reason', code)} (${message})`;
  return requestId === null ? said : `${said} (${requestId})`;
}
