/** Which executor runs which kind of step. */

import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import type { StepInput, StepKind } from '../../schema/contracts/step-inputs.ts';
import { isStepKind, STEP_INPUTS, STEP_KINDS } from '../../schema/contracts/step-inputs.ts';
import type { AgentSettings } from '../config/agent-settings.ts';
import { agent } from './agent.ts';
import type { Executor } from './executor.ts';
import { git } from './git.ts';
import { review } from './review.ts';
import { shell } from './shell.ts';
import { test } from './test.ts';

export const EXECUTORS: { readonly [K in StepKind]: Executor<K> } = { shell, agent, test, git, review };

/** What this host names in a claim: its kinds, and each coding agent that it has. */
export function executorNames(agents: Readonly<Record<string, AgentSettings>>): string[] {
  const kinds = STEP_KINDS.filter((kind) => kind !== 'agent');
  return [...kinds, ...Object.keys(agents).map((name) => `agent:${name}`)];
}

/** The executor of a step, with its valid input bound to it. */
export interface BoundExecutor {
  kind: StepKind;
  prepare: (step: Parameters<Executor<StepKind>['prepare']>[1]) => ReturnType<Executor<StepKind>['prepare']>;
  reader: () => ReturnType<NonNullable<Executor<StepKind>['reader']>> | null;
  judge: (end: Parameters<Executor<StepKind>['judge']>[0]) => ReturnType<Executor<StepKind>['judge']>;
  testOutput: NonNullable<Executor<StepKind>['testOutput']>;
  /** The report that a test step names; null for none. */
  report: string | null;
}

function bind<K extends StepKind>(kind: K, input: StepInput<K>, agents: Readonly<Record<string, AgentSettings>>) {
  const executor: Executor<K> = EXECUTORS[kind];
  const report = 'report' in input && typeof input.report === 'string' ? input.report : null;
  return {
    kind,
    prepare: (step) => executor.prepare(input, step),
    reader: () => executor.reader?.(input, agents) ?? null,
    judge: (end) => executor.judge(end, input),
    testOutput: (end) => executor.testOutput?.(end) ?? null,
    report,
  } satisfies BoundExecutor;
}

/** The executor of a claimed step, or why there is none. */
export function executorFor(
  step: { kind: string; input: Record<string, unknown> },
  agents: Readonly<Record<string, AgentSettings>>,
): BoundExecutor | { problem: { code: string; text: string } } {
  const { kind } = step;
  if (!isStepKind(kind)) {
    const text = `this host has no executor for ${kind} steps; it has ${STEP_KINDS.join(', ')}. Update it`;
    return { problem: { code: 'unsupported_step_kind', text } };
  }
  const input = checkValue(STEP_INPUTS[kind], step.input);
  if (input.success) return bind(kind, input.data as StepInput<typeof kind>, agents);
  return { problem: { code: 'invalid_step_input', text: firstIssueText(input.error, 'input') } };
}
