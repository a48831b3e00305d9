/**
 * A WebDriver BiDi session with Firefox: the commands that installing an extension, the tests and the demo need. Every
 * wait has a deadline. Firefox admits one session at a time; ending it leaves an installed extension where it is.
 */
import { z } from 'zod';
import type { BidiEvent } from './bidi-connection.ts';
import { BidiConnection, BidiError } from './bidi-connection.ts';
import type { RemoteValue } from './bidi-values.ts';
import { localValue, plainValue, RemoteValueSchema } from './bidi-values.ts';

const NAVIGATION_MS = 60_000;
const NothingSchema = z.looseObject({});
const ContextSchema = z.object({ context: z.string() });
const TabSchema = z.object({ context: z.string(), url: z.string() });
const ScriptResultSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('success'), result: RemoteValueSchema }),
  z.object({ type: z.literal('exception'), exceptionDetails: z.looseObject({ text: z.string() }) }),
]);

export interface SessionOptions {
  /** For sites with certificates of our own. */
  acceptInsecureCerts?: boolean;
}

/** Where a script runs: in the page itself, or in a sandbox that sees the document and not the page's own variables. */
export interface ScriptOptions {
  sandbox?: string;
  /** Counts as an action of a person, for what a page may do only then. */
  userActivation?: boolean;
}

/** A source of input and what it does, as `input.performActions` takes it. */
export type InputSource = { type: 'key' | 'pointer' | 'wheel' | 'none'; id: string; actions: readonly object[] };

export class Bidi {
  readonly #connection: BidiConnection;

  private constructor(connection: BidiConnection) {
    this.#connection = connection;
  }

  /** Begins a session at `ws://127.0.0.1:PORT`, the address that Firefox prints. @throws Error when it cannot */
  static async open(url: string, { acceptInsecureCerts = false }: SessionOptions = {}): Promise<Bidi> {
    const connection = await BidiConnection.connect(new URL('/session', url).href);
    try {
      const capabilities = { alwaysMatch: { acceptInsecureCerts } };
      await connection.call('session.new', { capabilities }, NothingSchema);
      return new Bidi(connection);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Resolves when Firefox or the connection has ended. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /** Runs a command that has no method here. */
  call<T>(method: string, params: object, result: z.ZodType<T>, timeoutMs?: number): Promise<T> {
    return this.#connection.call(method, params, result, timeoutMs);
  }

  /** Ends the session and leaves Firefox open. */
  async end(): Promise<void> {
    await this.#do('session.end', {}).catch(() => undefined);
    await this.#connection.close();
  }

  /** Closes Firefox. */
  async closeBrowser(): Promise<void> {
    // Firefox may end before it responds.
    await this.#do('browser.close', {}).catch(() => undefined);
    await this.#connection.close();
  }

  /** Installs an unpacked extension or an archive until Firefox ends; resolves with its id. */
  async installExtension(path: string, kind: 'path' | 'archivePath'): Promise<string> {
    const params = { extensionData: { type: kind, path } };
    const { extension } = await this.call('webExtension.install', params, z.object({ extension: z.string() }));
    return extension;
  }

  async uninstallExtension(extension: string): Promise<void> {
    await this.#do('webExtension.uninstall', { extension });
  }

  /** The open tabs. */
  async tabs(): Promise<{ context: string; url: string }[]> {
    const params = { maxDepth: 0 };
    const { contexts } = await this.call('browsingContext.getTree', params, z.object({ contexts: z.array(TabSchema) }));
    return contexts;
  }

  async openTab(url: string | null = null, options: { background?: boolean } = {}): Promise<string> {
    const { context } = await this.call('browsingContext.create', { type: 'tab', ...options }, ContextSchema);
    if (url !== null) await this.navigate(context, url);
    return context;
  }

  async navigate(context: string, url: string, wait: 'none' | 'interactive' | 'complete' = 'complete'): Promise<void> {
    await this.#do('browsingContext.navigate', { context, url, wait }, NAVIGATION_MS);
  }

  async reload(context: string): Promise<void> {
    await this.#do('browsingContext.reload', { context, wait: 'complete' }, NAVIGATION_MS);
  }

  async activate(context: string): Promise<void> {
    await this.#do('browsingContext.activate', { context });
  }

  async closeTab(context: string): Promise<void> {
    await this.#do('browsingContext.close', { context });
  }

  async setViewport(context: string, viewport: { width: number; height: number }): Promise<void> {
    await this.#do('browsingContext.setViewport', { context, viewport });
  }

  /** A PNG of what the tab shows. */
  async screenshot(context: string): Promise<Buffer> {
    const { data } = await this.call('browsingContext.captureScreenshot', { context }, z.object({ data: z.string() }));
    return Buffer.from(data, 'base64');
  }

  /** The value of an expression, awaited when it is a promise. @throws BidiError with the exception of the script */
  async evaluate(context: string, expression: string, options: ScriptOptions = {}): Promise<unknown> {
    return plainValue(await this.#script('script.evaluate', context, { expression }, options));
  }

  /** The result of a function, given by its text and JSON arguments. @throws BidiError with the exception of the script */
  async callFunction(
    context: string,
    functionDeclaration: string,
    args: readonly unknown[] = [],
    options: ScriptOptions = {},
  ): Promise<unknown> {
    const params = { functionDeclaration, arguments: args.map(localValue) };
    return plainValue(await this.#script('script.callFunction', context, params, options));
  }

  /** Elements by a CSS selector; with `within` only below these, which may be shadow roots, closed ones included. */
  async locate(context: string, selector: string, within: readonly string[] = []): Promise<RemoteValue[]> {
    const params = {
      context,
      locator: { type: 'css', value: selector },
      serializationOptions: { includeShadowTree: 'all', maxDomDepth: 1 },
      ...(within.length > 0 && { startNodes: within.map((sharedId) => ({ sharedId })) }),
    };
    const { nodes } = await this.call(
      'browsingContext.locateNodes',
      params,
      z.object({ nodes: z.array(RemoteValueSchema) }),
    );
    return nodes;
  }

  async perform(context: string, actions: readonly InputSource[]): Promise<void> {
    await this.#do('input.performActions', { context, actions });
  }

  /** Presses and releases keys one after the other, as a keyboard does. */
  async type(context: string, text: string): Promise<void> {
    const actions = [...text].flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    await this.perform(context, [{ type: 'key', id: 'keyboard', actions }]);
  }

  async subscribe(events: readonly string[]): Promise<void> {
    await this.#do('session.subscribe', { events });
  }

  onEvent(listener: (event: BidiEvent) => void): () => void {
    return this.#connection.events.on(listener);
  }

  /** The next event that meets the condition; `subscribe` first. @throws BidiError when none comes in time */
  nextEvent(
    method: string,
    condition: (params: unknown) => boolean = () => true,
    timeoutMs?: number,
  ): Promise<unknown> {
    return this.#connection.next(method, condition, timeoutMs);
  }

  async #do(method: string, params: object, timeoutMs?: number): Promise<void> {
    await this.#connection.call(method, params, NothingSchema, timeoutMs);
  }

  async #script(method: string, context: string, params: object, options: ScriptOptions): Promise<RemoteValue> {
    const { sandbox, userActivation = false } = options;
    const target = { context, ...(sandbox !== undefined && { sandbox }) };
    const whole = { ...params, target, awaitPromise: true, userActivation };
    const outcome = await this.call(method, whole, ScriptResultSchema);
    if (outcome.type === 'success') return outcome.result;
    throw new BidiError(method, 'exception', outcome.exceptionDetails.text);
  }
}
