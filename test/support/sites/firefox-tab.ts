/** One tab of a Firefox under test: what it shows, and input that the page takes for a person's. */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { Bidi } from '../../../local-agent/firefox/bidi.ts';

const LOOK_EVERY_MS = 25;
const UNTIL_TIMEOUT_MS = 120_000;

/** Names of keys in WebDriver. */
export const KEYS = { enter: '\uE007', tab: '\uE004', escape: '\uE00C', shift: '\uE008', control: '\uE009' } as const;

const NodeSchema = z.object({ sharedId: z.string() });
const HostSchema = z.object({ value: z.object({ shadowRoot: NodeSchema }) });
type RemoteNode = z.infer<typeof NodeSchema>;

type Argument = string | number | boolean | null;
type PageFunction<Args extends Argument[], Result> = (...args: Args) => Result | Promise<Result>;

export class FirefoxTab {
  readonly context: string;
  readonly #bidi: Bidi;

  constructor(bidi: Bidi, context: string) {
    this.#bidi = bidi;
    this.context = context;
  }

  async open(url: string): Promise<void> {
    await this.#bidi.navigate(this.context, url);
  }

  async reload(): Promise<void> {
    await this.#bidi.reload(this.context);
  }

  async activate(): Promise<void> {
    await this.#bidi.activate(this.context);
  }

  async close(): Promise<void> {
    await this.#bidi.closeTab(this.context);
  }

  async url(): Promise<string> {
    return await this.evaluate(() => document.location.href);
  }

  /** Runs a function in the page. It sees only its arguments, which are JSON values, as its result is. */
  async evaluate<Args extends Argument[], Result>(run: PageFunction<Args, Result>, ...args: Args): Promise<Result> {
    return await this.#call(run, args);
  }

  /** Runs a script in the page, also where the page's policy allows none. */
  async runSource(source: string): Promise<void> {
    await this.#bidi.callFunction(this.context, `() => {${source}\n}`, []);
  }

  /** Runs a function with the closed shadow root of the element that a selector finds. */
  async inShadow<Args extends Argument[], Result>(
    host: string,
    run: (root: ShadowRoot, ...args: Args) => Result | Promise<Result>,
    ...args: Args
  ): Promise<Result> {
    return await this.#call(run, [await this.#shadowRoot(host), ...args]);
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

  /** Clicks the middle of an element with the mouse, after scrolling to it. */
  async click(selector: string): Promise<void> {
    await this.#clickNode(await this.#locate(selector));
  }

  /** Clicks an element inside a closed shadow root. */
  async clickInShadow(host: string, selector: string): Promise<void> {
    const { sharedId } = await this.#shadowRoot(host);
    await this.#clickNode(await this.#locate(selector, [sharedId]));
  }

  async #clickNode(node: RemoteNode): Promise<void> {
    await this.#call((element: Element) => element.scrollIntoView({ block: 'center', behavior: 'instant' }), [node]);
    const { sharedId } = node;
    const origin = { type: 'element', element: { sharedId } };
    const actions = [
      { type: 'pointerMove', x: 0, y: 0, origin },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ];
    await this.#bidi.perform(this.context, [{ type: 'pointer', id: 'mouse', actions }]);
  }

  /** Types into what has the focus, key by key. Keys of `KEYS` may be part of the text. */
  async type(text: string): Promise<void> {
    await this.#bidi.type(this.context, text);
  }

  /** Presses Tab while Shift is held. */
  async tabBack(): Promise<void> {
    const keys = [KEYS.shift, KEYS.tab];
    const actions = [
      ...keys.map((value) => ({ type: 'keyDown', value })),
      ...keys.toReversed().map((value) => ({ type: 'keyUp', value })),
    ];
    await this.#bidi.perform(this.context, [{ type: 'key', id: 'keyboard', actions }]);
  }

  async setViewport(width: number, height: number): Promise<void> {
    await this.#bidi.setViewport(this.context, { width, height });
  }

  /** The picture of the visible part of the page, PNG. */
  async screenshot(): Promise<Buffer> {
    return await this.#bidi.screenshot(this.context);
  }

  async #shadowRoot(host: string): Promise<RemoteNode> {
    const [element] = await this.#bidi.locate(this.context, host);
    const found = HostSchema.safeParse(element);
    if (!found.success) throw new Error(`${host} has no shadow root`);
    return found.data.value.shadowRoot;
  }

  async #locate(selector: string, within: readonly string[] = []): Promise<RemoteNode> {
    const [node] = await this.#bidi.locate(this.context, selector, within);
    if (!node) throw new Error(`no element matches ${selector}`);
    return NodeSchema.parse(node);
  }

  async #call<Result>(run: (...args: never[]) => unknown, args: readonly unknown[]): Promise<Result> {
    const asJson = `async (...args) => JSON.stringify((await (${run})(...args)) ?? null)`;
    return JSON.parse(String(await this.#bidi.callFunction(this.context, asJson, args))) as Result;
  }
}
