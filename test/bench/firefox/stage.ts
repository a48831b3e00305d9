/** One fake chat site at a time behind the real host names, with the times at which its server received and wrote. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { SITE_HOSTS } from '../../support/sites/server.ts';
import type { FakeSite, SiteRequest } from '../../support/sites/site.ts';
import type { ChatSite } from '../../support/whole-path/chat-sites.ts';

/** A site, and what a benchmark must know of it beside what every test knows. */
export interface Staged {
  chat: ChatSite;
  /** The request whose response carries the answer. */
  stream: { path: RegExp; pattern: string };
  /** The request that reads a conversation, where one confirms each answer. */
  reading?: RegExp;
  /** The button that is there while an answer is written. */
  stopButton: string;
}

export class Stage implements FakeSite {
  readonly hosts = SITE_HOSTS;
  /** When the server had the last message of a person, `performance.now()`. */
  receivedAt = 0;
  /** When the server wrote the last byte of an answer's response, and how many it has written. */
  wroteAt = 0;
  wroteBytes = 0;
  /** The same time by the clock that a page has as well, Unix milliseconds. */
  wroteAtUnix = 0;
  /** When the server wrote the last byte of a reading. */
  readAt = 0;
  #staged: Staged | null = null;

  show(staged: Staged): void {
    this.#staged = staged;
    this.wroteBytes = 0;
  }

  async handle(request: SiteRequest, response: ServerResponse): Promise<void> {
    const staged = this.#staged;
    if (staged === null) return void response.writeHead(404).end();
    const { pathname } = request.url;
    if (staged.stream.path.test(pathname)) this.#watch(response, (bytes) => this.#wrote(bytes));
    if (staged.reading?.test(pathname)) {
      this.#watch(response, () => {
        this.readAt = performance.now();
      });
    }
    const { site, received } = staged.chat;
    const before = received().length;
    // A site notes a message before its first wait.
    const handled = site.handle(request, response);
    if (received().length > before) this.receivedAt = performance.now();
    await handled;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#staged?.chat.site.upgrade?.(request, socket, head);
  }

  #wrote(bytes: number): void {
    this.wroteAt = performance.now();
    this.wroteAtUnix = Date.now();
    this.wroteBytes += bytes;
  }

  #watch(response: ServerResponse, wrote: (bytes: number) => void): void {
    const note = (chunk: unknown) => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) wrote(Buffer.byteLength(chunk));
    };
    const { write, end } = response;
    response.write = function noted(this: ServerResponse, ...args: unknown[]) {
      note(args[0]);
      return write.apply(this, args as Parameters<typeof write>);
    } as typeof write;
    response.end = function noted(this: ServerResponse, ...args: unknown[]) {
      note(args[0]);
      return end.apply(this, args as Parameters<typeof end>);
    } as typeof end;
  }
}
