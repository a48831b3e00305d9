/**
 * The plans of the agent that this browser has begun, in storage: written before anything is typed and again before the
 * button is pressed, so that no restart sends one a second time. Writes follow each other in their order.
 */
import { z } from 'zod';
import { PlatformSchema } from '../../../schema/contracts/common.ts';
import type { End } from './end.ts';
import { endOf } from './end.ts';

/** A number that cannot be read costs no more than itself. */
const NumberSchema = z.number().nullable().catch(null);

const EndSchema = z.object({
  outcome: z.enum(['delivered', 'failed', 'refused', 'deferred', 'uncertain']),
  reason: z.string().nullable(),
  httpStatus: NumberSchema,
  retryAfterMs: NumberSchema,
  seenInPage: z.boolean(),
  durationMs: z.number().catch(0),
});

const PlanSchema = z.object({
  planId: z.string(),
  platform: PlatformSchema,
  conversationId: z.string().nullable().catch(null),
  stage: z.enum(['started', 'pressed', 'ended']).catch('pressed'),
  /** Of the last change, Unix milliseconds. */
  at: z.number(),
  end: EndSchema.nullable().catch(null),
  /** The site's id of the message that was sent. */
  userMessageId: z.string().nullable().catch(null),
});
export type Plan = z.infer<typeof PlanSchema>;
/** One plan that cannot be read takes no other one with it: a plan that is not found counts as one that was never sent. */
export const PlansSchema = z
  .array(PlanSchema.nullable().catch(null))
  .transform((plans) => plans.filter((plan) => plan !== null));

/** Where the plans are kept. */
export interface PlanStorage {
  read(): Promise<Plan[]>;
  write(plans: Plan[]): Promise<void>;
}

/** Longer than the agent keeps a delivery that it might ask for again. */
const KEEP_MS = 14 * 86_400_000;
const MAX_PLANS = 500;

/** The plans that are kept at `now`: none that is old, and of many the newest. Pure. */
export function keptPlans(plans: readonly Plan[], now: number): Plan[] {
  const young = plans.filter(({ at }) => at > now - KEEP_MS);
  return [...young].sort((a, b) => a.at - b.at).slice(-MAX_PLANS);
}

/**
 * The plan after a restart, which has ended what was under way. Null: its button was not pressed, so that it may come
 * again, as one that was deferred and could not be removed from storage. Pure.
 */
export function interrupted(plan: Plan): Plan | null {
  switch (plan.stage) {
    case 'ended':
      // How it ended cannot be read; that it may have been sent can.
      return plan.end === null ? { ...plan, end: endOf('uncertain', 'interrupted_after_send') } : plan;
    case 'started':
      return null;
    case 'pressed':
      return { ...plan, stage: 'ended', end: endOf('uncertain', 'interrupted_after_send') };
    default:
      return plan.stage satisfies never;
  }
}

export class Plans {
  readonly #storage: PlanStorage;
  readonly #now: () => number;
  #plans = new Map<string, Plan>();
  #last: Promise<unknown>;
  #isLoaded = false;

  constructor(storage: PlanStorage, now: () => number) {
    this.#storage = storage;
    this.#now = now;
    this.#last = this.#load();
    // A delivery that awaits it gets the failure.
    this.#last.catch(() => undefined);
  }

  /** Resolves when the plans of earlier runs are known; rejects when storage cannot be read. */
  async loaded(): Promise<void> {
    await this.#last;
  }

  /** Whether the plans of earlier runs are known. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  find(planId: string): Plan | null {
    return this.#plans.get(planId) ?? null;
  }

  /** The plan whose message has this id. */
  byMessage(platform: string, userMessageId: string): Plan | null {
    const all = [...this.#plans.values()];
    return all.find((plan) => plan.platform === platform && plan.userMessageId === userMessageId) ?? null;
  }

  /** Resolves when the plan is in storage. */
  put(plan: Plan): Promise<void> {
    this.#plans.set(plan.planId, plan);
    return this.#save();
  }

  /** Forgets a plan of which nothing was sent and that may come again. */
  remove(planId: string): Promise<void> {
    this.#plans.delete(planId);
    return this.#save();
  }

  async #load(): Promise<void> {
    const stored = await this.#storage.read();
    const known = stored.map(interrupted).filter((plan) => plan !== null);
    this.#plans = new Map(known.map((plan) => [plan.planId, plan]));
    this.#isLoaded = true;
  }

  #save(): Promise<void> {
    const write = async (): Promise<void> => {
      const kept = keptPlans([...this.#plans.values()], this.#now());
      this.#plans = new Map(kept.map((plan) => [plan.planId, plan]));
      await this.#storage.write(kept);
    };
    const written = this.#last.catch(() => undefined).then(write);
    this.#last = written.catch(() => undefined);
    return written;
  }
}

export function newPlan(planId: string, platform: Plan['platform'], conversationId: string | null, at: number): Plan {
  return { planId, platform, conversationId, stage: 'started', at, end: null, userMessageId: null };
}

export function endedPlan(plan: Plan, end: End, userMessageId: string | null, at: number): Plan {
  return { ...plan, stage: 'ended', end, userMessageId, at };
}
