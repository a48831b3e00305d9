/**
 * The system mode. The rules are in schema/domain/mode.ts; this object stores the record and raises D1's fence row.
 *
 * A change is decided and made without awaiting in between, then persisted. It is acknowledged when D1's fence row has it;
 * until then every call that depends on the mode raises the fence first.
 */
import { z } from 'zod';
import type {
  AutomationStateApi,
  FenceLag,
  Held,
  RestoreFinding,
  SystemChange,
} from '../../schema/contracts/objects.ts';
import type { SystemRecord } from '../../schema/contracts/system.ts';
import { SystemModeSchema, SystemRecordSchema } from '../../schema/contracts/system.ts';
import { decideMode, decideRestore, NEW_SYSTEM, passVersion } from '../../schema/domain/mode.ts';
import type { ObjectsEnv } from '../env.ts';
import { raiseMode, readFence } from '../shared/fence.ts';
import { logProblem } from '../shared/log.ts';
import { IttyObject } from './itty-adapter.ts';

const SystemChangeSchema: z.ZodType<SystemChange> = z.strictObject({
  mode: SystemModeSchema,
  requested_by: z.string().nullable(),
  reason: z.string().nullable(),
  hold: z.boolean().optional(),
  by_person: z.boolean().optional(),
});
const METHODS: Record<keyof AutomationStateApi, z.ZodType> = {
  read: z.tuple([]),
  change: z.tuple([SystemChangeSchema]),
  ensureFence: z.tuple([]),
  restoreCheck: z.tuple([z.boolean()]),
};

/** `fenced_version`: the highest version that D1 has confirmed. */
const StoredModeSchema = z.object({ record: SystemRecordSchema, fenced_version: z.number().int().nonnegative() });
type StoredMode = z.infer<typeof StoredModeSchema>;

const FENCE_LAG: FenceLag = { status: 'fence_lag' };

export class AutomationState extends IttyObject<AutomationStateApi, StoredMode> implements AutomationStateApi {
  #raising: Promise<boolean> | null = null;

  constructor(ctx: DurableObjectState, env: ObjectsEnv) {
    const initial = { record: NEW_SYSTEM, fenced_version: 0 };
    super(ctx, env, { name: 'mode', methods: METHODS, schema: StoredModeSchema, initial });
  }

  async read(): Promise<SystemRecord> {
    return this.stored.record;
  }

  async change(
    change: SystemChange,
  ): Promise<{ status: 'applied' | 'unchanged'; record: SystemRecord } | Held | FenceLag> {
    if (!(await this.ensureFence())) return FENCE_LAG;
    const { next, status } = decideMode(this.stored.record, change, Date.now());
    if (status === 'applied') await this.save({ ...this.stored, record: next });
    if (!(await this.ensureFence())) return FENCE_LAG;
    return { status, record: next };
  }

  async ensureFence(): Promise<boolean> {
    while (this.stored.fenced_version < this.stored.record.version) {
      this.#raising ??= this.#raise().finally(() => {
        this.#raising = null;
      });
      if (!(await this.#raising)) return false;
    }
    return true;
  }

  async restoreCheck(restored: boolean): Promise<RestoreFinding | FenceLag> {
    // Read before D1: a version that D1 confirms meanwhile must not make the older reading look like a restore.
    const confirmed = this.stored.fenced_version;
    try {
      const d1 = await readFence(this.state.env.DB);
      const fenced = { confirmed, now: this.stored.fenced_version };
      const { next, fenced_version, owed } = decideRestore(this.stored.record, fenced, d1, restored);
      await this.save({ record: next, fenced_version });
      if (!(await this.ensureFence())) return FENCE_LAG;
      return { status: 'checked', owed, d1, record: this.stored.record };
    } catch (error) {
      logProblem('mode.restore_check', error);
      return FENCE_LAG;
    }
  }

  async #raise(): Promise<boolean> {
    const { record: raised } = this.stored;
    try {
      const outcome = await raiseMode(this.state.env.DB, raised, Date.now());
      // The record may have changed while D1 was asked: that change is kept, and raised in its turn.
      const { record, fenced_version } = this.stored;
      await this.save(
        outcome.status === 'raised'
          ? { record, fenced_version: Math.max(fenced_version, raised.version) }
          : { record: passVersion(record, outcome.at), fenced_version },
      );
      return true;
    } catch (error) {
      logProblem('mode.fence', error);
      return false;
    }
  }
}
