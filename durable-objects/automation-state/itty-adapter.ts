/**
 * All that this system uses of itty-durable: the base class of an object that keeps one small JSON value, and its stub. The
 * library fits such an object, but its conveniences are not safe for a value that other parts rely on. This file switches
 * them off or closes them:
 * - Automatic persistence is not awaited, and its failure is not reported. `save` awaits it, and aborts the object when it
 *   fails, so that memory never holds what storage does not.
 * - A forwarded request may call every method and set every property. `fetch` admits only the methods that are declared,
 *   with arguments that parse.
 * - The state is loaded in `fetch`, so an alarm or a socket of a cold object would see the initial state: an object of this
 *   class has neither.
 */
import { createDurable } from 'itty-durable/itty-durable.js';
import { proxyDurable } from 'itty-durable/proxy-durable.js';
import type { ZodType } from 'zod';
import type { ObjectNamespace, ObjectsEnv } from '../env.ts';
import { logProblem } from '../shared/log.ts';

/** What is used of itty-durable's class; its own types are `any`. */
interface IttyBase {
  readonly state: DurableObjectState & { readonly env: ObjectsEnv };
  fetch(request: Request): Promise<Response>;
  persist(): Promise<void>;
}
const IttyDurable = createDurable({ autoPersist: false, autoReturn: false }) as unknown as new (
  state: DurableObjectState,
  env: ObjectsEnv,
) => IttyBase;

interface IttyOptions<Api, Value> {
  /** Names the object in log lines. */
  name: string;
  /** The methods that a stub may call, each with a schema of its arguments. */
  methods: Record<keyof Api & string, ZodType>;
  schema: ZodType<Value>;
  /** The value of an object that has stored none. */
  initial: Value;
}

export class IttyObject<Api, Value> extends IttyDurable {
  /** Persisted by itty-durable, as every enumerable field but `state` is. Changed by `save` only. */
  stored: Value;
  readonly #options: IttyOptions<Api, Value>;

  constructor(state: DurableObjectState, env: ObjectsEnv, options: IttyOptions<Api, Value>) {
    super(state, env);
    this.#options = options;
    this.stored = options.initial;
  }

  override async fetch(request: Request): Promise<Response> {
    if (!this.#admits(request)) return new Response('not a method of this object', { status: 404 });
    return super.fetch(request);
  }

  /** Called by itty-durable when it has loaded the stored value. One that does not fit its schema is a bug. */
  async onLoad(): Promise<void> {
    this.stored = this.#options.schema.parse(this.stored);
  }

  /** Changes the value and persists it. When that fails, the object is thrown away with its memory. */
  protected async save(value: Value): Promise<void> {
    this.stored = value;
    try {
      await this.persist();
    } catch (error) {
      logProblem(`${this.#options.name}.persist`, error);
      this.state.abort(`the ${this.#options.name} could not be stored`);
      throw error;
    }
  }

  /** Calls of itty-durable are `GET /do/call/<method>` with the arguments as JSON in a header. */
  #admits(request: Request): boolean {
    const method = /^\/do\/call\/(\w+)$/.exec(new URL(request.url).pathname)?.[1];
    const schemas: Record<string, ZodType> = this.#options.methods;
    if (request.method !== 'GET' || method === undefined || !Object.hasOwn(schemas, method)) return false;
    try {
      const args: unknown = JSON.parse(request.headers.get('do-content') ?? '');
      return schemas[method]?.safeParse(args).success === true;
    } catch {
      return false;
    }
  }
}

/** A stub for one call. It is a proxy that must be neither awaited nor returned, so callers wrap it in a plain object. */
export function ittyStub<Api>(namespace: ObjectNamespace, name: string): Api {
  return proxyDurable(namespace, { parse: true }).get(name);
}
