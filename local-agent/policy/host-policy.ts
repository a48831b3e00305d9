/** Verdicts, roots and secrets by the `policy.json` in force at each call, and the effects of host tools under it. */
import type { Approval, PolicyVerdict } from '../../schema/contracts/instructions.ts';
import type { HostTool, ToolParams } from '../../schema/contracts/tools.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { GrantedCalls } from '../../schema/domain/grant.ts';
import { grantCovers } from '../../schema/domain/grant.ts';
import { findChange } from '../host/changed-files.ts';
import type { Roots } from '../host/roots.ts';
import { expandHome, openRoots } from '../host/roots.ts';
import { readTextFile } from '../host/text-file.ts';
import type { UndoStore } from '../host/undo.ts';
import type { Redact } from '../lib/redact.ts';
import { redactor } from '../lib/redact.ts';
import type { Turns } from '../lib/turns.ts';
import { hostPath, programSurroundings } from '../tools/program-environment.ts';
import { runHostTool } from '../tools/registry.ts';
import type { InstructionResult, ToolContext } from '../tools/tool.ts';
import { failure } from '../tools/tool.ts';
import type { ToolCall } from '../tools/tool-call.ts';
import { approvalInTurns, approvalOf, callFolder } from './approval.ts';
import type { Effect } from './approval-drift.ts';
import { driftOf } from './approval-drift.ts';
import type { JudgedCall } from './policy.ts';
import { judge } from './policy.ts';
import type { PolicyFile } from './policy-file.ts';
import { policyLine } from './policy-line.ts';
import type { StepEffect, StepRuling } from './step-policy.ts';
import { judgeStep } from './step-policy.ts';

export interface HostPolicyDeps {
  policyFile: Pick<PolicyFile, 'current'>;
  /** The only root when the policy names none. */
  workspace: string;
  /** Files and folders of the agent itself (own-paths.ts). */
  protectedPaths: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Where programs are looked up, as a person has set it. */
  programPath?: string | null;
  /** Upper limits of how long an instruction and an `exec` may take. */
  timeouts: { timeoutMs: number; execTimeoutMs: number };
  monotonic: () => number;
  undo: Pick<UndoStore, 'keeper'>;
  newTemporaryName: () => string;
}

/** The conversation in which a call was written. */
export type CallOrigin = Required<Pick<JudgedCall, 'platform' | 'conversation_id'>>;

/** Callbacks of a running effect, and the signal that stops it. */
export type EffectContext = Pick<ToolContext, 'signal' | 'mark' | 'onProcess' | 'onOutput'> & { instructionId: string };

export class HostPolicy {
  readonly #deps: HostPolicyDeps;

  constructor(deps: HostPolicyDeps) {
    this.#deps = deps;
  }

  /** The verdict on a call that was written in that conversation. */
  judge({ name, params }: ToolCall, from: CallOrigin): PolicyVerdict {
    return judge(this.#deps.policyFile.current(), { name, params, ...from });
  }

  /** What a person approves for that call. */
  approval({ name, params }: ToolCall): Approval {
    return this.#withPolicyLine({ name, params }, approvalOf(name, params, this.#roots()));
  }

  /** The same in short turns: the calls of a message may name many files. */
  async approvalInTurns(call: ToolCall, turns: Turns): Promise<Approval> {
    return this.#withPolicyLine(call, await approvalInTurns(call.name, call.params, this.#roots(), turns));
  }

  /** Whether that call, which asks, is one that a person has approved ahead. A grant changes nothing that is denied. */
  isGranted(call: ToolCall, from: CallOrigin, granted: GrantedCalls): boolean {
    if (this.judge(call, from).decision !== 'ask') return false;
    const { name, params } = call;
    return grantCovers(granted, { name, params, folder: callFolder(name, params, this.#roots()) });
  }

  #withPolicyLine(call: ToolCall, approval: Approval): Approval {
    const policy_line = policyLine(this.#deps.policyFile.current(), call);
    return policy_line === null ? approval : { ...approval, policy_line };
  }

  /** Why an approval of that call is void after these effects; null when it is not. Only a program finds files itself. */
  async drift({ name }: ToolCall, effects: readonly Effect[], askedAt: number): Promise<string | null> {
    if (name !== 'conductor::exec' || effects.length === 0) return null;
    return driftOf(effects, this.#roots(), (folder) => findChange(folder, askedAt));
  }

  /** Runs a host tool. Never throws. */
  async perform<N extends HostTool>(name: N, params: ToolParams<N>, effect: EffectContext): Promise<InstructionResult> {
    const { env, programPath = null, timeouts, monotonic, newTemporaryName, undo } = this.#deps;
    const { instructionId, ...reported } = effect;
    try {
      const own = name === 'conductor::exec' ? timeouts.execTimeoutMs : timeouts.timeoutMs;
      const timeoutMs = Math.min(own, INSTRUCTION.exec_timeout_ms);
      return await runHostTool(
        name,
        params,
        {
          ...reported,
          roots: this.#roots(),
          redact: this.redactor(),
          env,
          programPath,
          timeoutMs,
          newTemporaryName,
          keeper: undo.keeper(instructionId),
        },
        monotonic,
      );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ...failure('failed', 'internal', why), duration_ms: 0 };
    }
  }

  /** Where programs are looked up now, and which folders of the agent's PATH are left out because a chat can write there. */
  programPath(): { path: string; left_out: string[] } {
    const { env, programPath = null } = this.#deps;
    if (programPath !== null) return { path: programPath, left_out: [] };
    const { path, leftOut } = hostPath(env.PATH, this.#roots());
    return { path, left_out: leftOut };
  }

  /** Whether a step of a task may start here. */
  judgeStep(effect: StepEffect, isPersons: boolean): StepRuling {
    return judgeStep(this.#deps.policyFile.current(), effect, isPersons);
  }

  /** The environment of a step's program that runs in that folder. */
  surroundings(folder: string): Record<string, string> {
    return programSurroundings({ agent: { ...this.#deps, roots: this.#roots() }, given: {}, folder }).env;
  }

  /** Removes from texts what the policy in force names as secret. */
  redactor(): Redact {
    const { env, policyFile } = this.#deps;
    return redactor(policyFile.current(), { env, readFile: (path) => readTextFile(expandHome(path)) });
  }

  #roots(): Roots {
    const { policyFile, workspace, protectedPaths } = this.#deps;
    return openRoots(policyFile.current()?.roots ?? [workspace], protectedPaths);
  }
}
