/** One tab of a Firefox under test: what it shows, and input that the page takes for a person's. */
import { setTimeout } from 'node:timers/promises';
import type { BidiClient } from './bidi.ts';

const LOOK_EVERY_MS = 25;
const UNTIL_TIMEOUT_MS = 30_000;

/** Names of keys in WebDriver. */
export const KEYS = { enter: '\uE007', tab: '\uE004', escape: '\uE00C', shift: '\uE008', control: '\uE009' } as const;

interface RemoteNode {
  sharedId: string;
  value?: { shadowRoot?: RemoteNode | null };
}

type Argument = string | number | boolean | null;
type PageFunction<Args extends Argument[], Result> = (...args: Args) => Result | Promise<Result>;

export class FirefoxTab {
  readonly context: string;
  readonly #bidi: BidiClient;

  constructor(bidi: BidiClient, context: string) {
    this.#bidi = bidi;
    this.context = context;
  }

  async open(url: string): Promise<void> {
    await this.#bidi.command('browsingContext.navigate', { context: this.context, url, wait: 'complete' });
  }

  async reload(): Promise<void> {
    await this.#bidi.command('browsingContext.reload', { context: this.context, wait: 'complete' });
  }

  async activate(): Promise<void> {
    await this.#bidi.command('browsingContext.activate', { context: this.context });
  }

  async close(): Promise<void> {
    await this.#bidi.command('browsingContext.close', { context: this.context });
  }

  async url(): Promise<string> {
    return await this.evaluate(() => document.location.href);
  }

  /** Runs a function in the page. It sees only its arguments, which are JSON values, as its result is. */
  async evaluate<Args extends Argument[], Result>(run: PageFunction<Args, Result>, ...args: Args): Promise<Result> {
    return await this.#call(run, args.map(localValue));
  }

  /** Runs a function with the closed shadow root of the element that a selector finds. */
  async inShadow<Args extends Argument[], Result>(
    host: string,
    run: (root: ShadowRoot, ...args: Args) => Result | Promise<Result>,
    ...args: Args
  ): Promise<Result> {
    const root = (await this.#locate(host)).value?.shadowRoot;
    if (!root) throw new Error(`${host} has no shadow root`);
    return await this.#call(run, [{ sharedId: root.sharedId }, ...args.map(localValue)]);
  }

  /** Looks until the function's result is truthy, and gives it. A deadline ends what never comes. */
  async until<Args extends Argument[], Result>(run: PageFunction<Args, Result>, ...args: Args): Promise<Result> {
    const deadline = Date.now() + UNTIL_TIMEOUT_MS;
    for (;;) {
      // A page that is being replaced has no document to look at.
      const result = await this.evaluate(run, ...args).catch((error: unknown) => {
        if (Date.now() > deadline) throw error;
        return null;
      });
      if (result) return result;
      if (Date.now() > deadline) throw new Error(`${this.context} did not come to ${run}, ${JSON.stringify(args)}`);
      await setTimeout(LOOK_EVERY_MS);
    }
  }

  /** Clicks the middle of an element with the mouse. */
  async click(selector: string): Promise<void> {
    await this.clickNode(await this.#locate(selector));
  }

  /** Clicks an element inside a closed shadow root. */
  async clickInShadow(host: string, selector: string): Promise<void> {
    const root = (await this.#locate(host)).value?.shadowRoot;
    if (!root) throw new Error(`${host} has no shadow root`);
    await this.clickNode(await this.#locate(selector, [{ sharedId: root.sharedId }]));
  }

  async clickNode({ sharedId }: RemoteNode): Promise<void> {
    const origin = { type: 'element', element: { sharedId } };
    await this.#perform({
      type: 'pointer',
      id: 'mouse',
      actions: [
        { type: 'pointerMove', x: 0, y: 0, origin },
        { type: 'pointerDown', button: 0 },
        { type: 'pointerUp', button: 0 },
      ],
    });
  }

  /** Types into what has the focus, key by key. Keys of `KEYS` may be part of the text. */
  async type(text: string): Promise<void> {
    const actions = Array.from(text).flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    await this.#perform({ type: 'key', id: 'keyboard', actions });
  }

  /** The picture of the visible part of the page, PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#bidi.command('browsingContext.captureScreenshot', { context: this.context });
    return Buffer.from(String(data), 'base64');
  }

  async #perform(source: object): Promise<void> {
    await this.#bidi.command('input.performActions', { context: this.context, actions: [source] });
  }

  async #locate(selector: string, startNodes?: { sharedId: string }[]): Promise<RemoteNode> {
    const { nodes } = await this.#bidi.command('browsingContext.locateNodes', {
      context: this.context,
      locator: { type: 'css', value: selector },
      maxNodeCount: 1,
      serializationOptions: { includeShadowTree: 'all', maxDomDepth: 1 },
      ...(startNodes && { startNodes }),
    });
    const [node] = nodes as RemoteNode[];
    if (!node) throw new Error(`no element matches ${selector}`);
    return node;
  }

  async #call<Result>(run: (...args: never[]) => unknown, args: object[]): Promise<Result> {
    const { type, result, exceptionDetails } = await this.#bidi.command('script.callFunction', {
      functionDeclaration: `async (...args) => JSON.stringify((await (${run})(...args)) ?? null)`,
      arguments: args,
      awaitPromise: true,
      target: { context: this.context },
    });
    if (type !== 'success') {
      throw new Error(`the page threw: ${(exceptionDetails as { text?: string } | undefined)?.text ?? 'unknown'}`);
    }
    return JSON.parse((result as { value: string }).value) as Result;
  }
}

function localValue(value: Argument): object {
  return value === null ? { type: 'null' } : { type: typeof value, value };
}
