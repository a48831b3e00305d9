/** The color of each status: good, at work, waiting for a person, bad, or nothing special. */

import type { AutomationStatus } from '../../../schema/contracts/conversations.ts';
import type { InstructionState } from '../../../schema/contracts/instructions.ts';
import type { DELIVERY_OUTCOMES, JobStatus } from '../../../schema/contracts/renewal.ts';
import type { RunStatus } from '../../../schema/contracts/runs.ts';
import type { SystemMode } from '../../../schema/contracts/system.ts';
import type { StepStatus, TaskStatus } from '../../../schema/contracts/tasks.ts';
import type { TickDecision } from '../../../schema/contracts/ticks.ts';

export type Tone = 'good' | 'busy' | 'wait' | 'bad' | 'calm';

export const MODE_TONES: Readonly<Record<SystemMode, Tone>> = { running: 'good', paused: 'wait', draining: 'busy' };
export const AUTOMATION_TONES: Readonly<Record<AutomationStatus, Tone>> = {
  auto: 'good',
  manual: 'calm',
  paused: 'wait',
};
export const INSTRUCTION_TONES: Readonly<Record<InstructionState, Tone>> = {
  claimed: 'busy',
  waiting: 'calm',
  awaiting_approval: 'wait',
  denied: 'bad',
  shadowed: 'calm',
  blocked: 'wait',
  expired: 'calm',
  running: 'busy',
  succeeded: 'good',
  failed: 'bad',
  canceled: 'calm',
  interrupted: 'bad',
};
export const JOB_TONES: Readonly<Record<JobStatus, Tone>> = {
  pending: 'calm',
  running: 'busy',
  done: 'good',
  failed: 'bad',
  canceled: 'calm',
};
export const ATTEMPT_TONES: Readonly<Record<(typeof DELIVERY_OUTCOMES)[number], Tone>> = {
  delivered: 'good',
  failed: 'bad',
  deferred: 'calm',
  uncertain: 'wait',
};
export const TASK_TONES: Readonly<Record<TaskStatus, Tone>> = {
  queued: 'calm',
  running: 'busy',
  done: 'good',
  failed: 'bad',
  canceled: 'calm',
  blocked: 'wait',
};
export const STEP_TONES: Readonly<Record<StepStatus, Tone>> = {
  pending: 'calm',
  running: 'busy',
  done: 'good',
  failed: 'bad',
  timeout: 'bad',
  blocked: 'wait',
  canceled: 'calm',
};
export const RUN_TONES: Readonly<Record<RunStatus, Tone>> = {
  prepared: 'calm',
  running: 'busy',
  succeeded: 'good',
  failed: 'bad',
  timeout: 'bad',
  blocked: 'wait',
  canceled: 'calm',
  lost: 'bad',
};
export const TICK_TONES: Readonly<Record<TickDecision, Tone>> = {
  skipped_busy: 'calm',
  skipped_no_runners: 'calm',
  skipped_system_paused: 'wait',
  skipped_not_leader: 'calm',
  scheduled: 'good',
  completed_with_failures: 'bad',
  failed: 'bad',
};
export const REPLY_TONES: Readonly<Record<'delivered' | 'failed' | 'uncertain' | 'given_up', Tone>> = {
  delivered: 'good',
  failed: 'bad',
  uncertain: 'wait',
  given_up: 'bad',
};
