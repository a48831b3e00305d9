/**
 * The system mode, on itty-durable: a tiny, low-rate, JSON-only singleton. Its automatic conveniences are off, because
 * they would acknowledge what is not stored and open every method to a forwarded request: `fetch` lets only the named
 * methods through, each with arguments that parse; a change is decided and made without awaiting in between, then
 * persisted, and if that fails the object is aborted, so that memory never holds what storage does not. No alarm and
 * no socket lives here (on a cold object they would run before the state is loaded).
 * A change is acknowledged when D1's fence row has it; until then every call that matters raises the fence first.
 */
import { createDurable } from 'itty-durable/itty-durable.js';
import { z } from 'zod';
import type { AutomationStateApi, FenceLag, RestoreFinding, SystemChange } from '../../schema/contracts/objects.ts';
import type { SystemRecord } from '../../schema/contracts/system.ts';
import { SystemModeSchema } from '../../schema/contracts/system.ts';
import { decideMode, decideRestore, FRESH_SYSTEM, passVersion } from '../../schema/domain/mode.ts';
import type { ObjectsEnv } from '../env.ts';
import { raiseMode, readFence } from '../shared/fence.ts';
import { logProblem } from '../shared/log.ts';

/** What is used of itty-durable's class; its own types say `any`. */
interface IttyObject {
  readonly state: DurableObjectState & { readonly env: ObjectsEnv };
  fetch(request: Request): Promise<Response>;
  persist(): Promise<void>;
}
const IttyDurable = createDurable({ autoPersist: false, autoReturn: false }) as unknown as new (
  state: DurableObjectState,
  env: ObjectsEnv,
) => IttyObject;

const SystemChangeSchema: z.ZodType<SystemChange> = z.strictObject({
  mode: SystemModeSchema,
  requested_by: z.string().nullable(),
  reason: z.string().nullable(),
});

/** What may be called from outside, with which arguments. */
const METHODS: Record<keyof AutomationStateApi, z.ZodType> = {
  read: z.tuple([]),
  change: z.tuple([SystemChangeSchema]),
  ensureFence: z.tuple([]),
  restoreCheck: z.tuple([z.boolean()]),
};

const FENCE_LAG: FenceLag = { status: 'fence_lag' };

export class AutomationState extends IttyDurable implements AutomationStateApi {
  /** Persisted by itty-durable, as every public field but `state` is. */
  record: SystemRecord = FRESH_SYSTEM;
  fenced_version = 0;
  /** Never persisted: private fields are not enumerable. */
  #raising: Promise<boolean> | null = null;

  override async fetch(request: Request): Promise<Response> {
    if (!isAllowed(request)) return new Response('not a method of this object', { status: 404 });
    return super.fetch(request);
  }

  async read(): Promise<SystemRecord> {
    return this.record;
  }

  async change(change: SystemChange): Promise<{ status: 'applied' | 'unchanged'; record: SystemRecord } | FenceLag> {
    if (!(await this.ensureFence())) return FENCE_LAG;
    const { next, status } = decideMode(this.record, change, Date.now());
    if (status === 'applied') await this.#store(next, this.fenced_version);
    if (!(await this.ensureFence())) return FENCE_LAG;
    return { status, record: next };
  }

  async ensureFence(): Promise<boolean> {
    while (this.fenced_version < this.record.version) {
      this.#raising ??= this.#raise().finally(() => {
        this.#raising = null;
      });
      if (!(await this.#raising)) return false;
    }
    return true;
  }

  async restoreCheck(restored: boolean): Promise<RestoreFinding | FenceLag> {
    const confirmed = this.fenced_version;
    try {
      const d1 = await readFence(this.state.env.DB);
      const fenced = { confirmed, now: this.fenced_version };
      const { next, fenced_version, owed } = decideRestore(this.record, fenced, d1, restored);
      await this.#store(next, fenced_version);
      if (!(await this.ensureFence())) return FENCE_LAG;
      return { status: 'checked', owed, d1, record: this.record };
    } catch (error) {
      logProblem('mode.restore_check', error);
      return FENCE_LAG;
    }
  }

  async #raise(): Promise<boolean> {
    const { record } = this;
    try {
      const outcome = await raiseMode(this.state.env.DB, record, Date.now());
      // D1 was asked meanwhile: a later change stays as it is, and is raised in its turn.
      if (outcome.status === 'raised') await this.#store(this.record, Math.max(this.fenced_version, record.version));
      else await this.#store(passVersion(this.record, outcome.at), this.fenced_version);
      return true;
    } catch (error) {
      logProblem('mode.fence', error);
      return false;
    }
  }

  /** Changes both in one step and writes them. Memory that could not be written is thrown away with the object. */
  async #store(record: SystemRecord, fencedVersion: number): Promise<void> {
    this.record = record;
    this.fenced_version = fencedVersion;
    try {
      await this.persist();
    } catch (error) {
      logProblem('mode.persist', error);
      this.state.abort('the system mode could not be stored');
      throw error;
    }
  }
}

/** itty-durable calls are `GET /do/call/<method>` with the arguments as JSON in a header. */
function isAllowed(request: Request): boolean {
  const method = /^\/do\/call\/(\w+)$/.exec(new URL(request.url).pathname)?.[1];
  if (request.method !== 'GET' || method === undefined || !Object.hasOwn(METHODS, method)) return false;
  try {
    const args: unknown = JSON.parse(request.headers.get('do-content') ?? '');
    return METHODS[method as keyof AutomationStateApi].safeParse(args).success;
  } catch {
    return false;
  }
}
