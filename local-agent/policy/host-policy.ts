/** The policy of this host at work: its verdicts, its roots and its secrets, all as `policy.json` says at that moment. */
import type { Platform } from '../../schema/contracts/common.ts';
import type { InstructionInput, PolicyVerdict } from '../../schema/contracts/instructions.ts';
import type { HostTool, ToolName } from '../../schema/contracts/tools.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { Roots } from '../host/roots.ts';
import { expandHome, openRoots } from '../host/roots.ts';
import { readTextFile } from '../host/text-file.ts';
import type { UndoStore } from '../host/undo.ts';
import type { Redact } from '../lib/redact.ts';
import { redactor } from '../lib/redact.ts';
import { runHostTool } from '../tools/registry.ts';
import type { InstructionResult, ToolContext } from '../tools/tool.ts';
import { ended } from '../tools/tool.ts';
import { approvalOf } from './approval.ts';
import { judge } from './policy.ts';
import type { PolicyFile } from './policy-file.ts';

export interface HostPolicyDeps {
  policyFile: Pick<PolicyFile, 'current'>;
  /** Where tools may work when the policy names no roots. */
  workspace: string;
  /** What belongs to the system itself (own-paths.ts). */
  protectedPaths: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** How long an instruction may take; the tool table's own times when absent. */
  timeouts: { timeoutMs: number; execTimeoutMs: number };
  monotonic: () => number;
  undo: Pick<UndoStore, 'keeper'>;
  newTemporaryName: () => string;
}

/** What an effect tells while it happens, and what ends it. */
export type EffectContext = Pick<ToolContext, 'signal' | 'onProcess' | 'onOutput'> & { instructionId: string };

export interface Call {
  name: ToolName;
  params: Record<string, unknown>;
}

export class HostPolicy {
  readonly #deps: HostPolicyDeps;

  constructor(deps: HostPolicyDeps) {
    this.#deps = deps;
  }

  judge({ name, params }: Call, platform: Platform): PolicyVerdict {
    return judge(this.#deps.policyFile.current(), { name, params, platform });
  }

  /** What a person would approve. */
  approval({ name, params }: Call): NonNullable<InstructionInput['approval']> {
    return approvalOf(name, params, this.#roots());
  }

  /** The effect of a host tool; never throws. */
  async perform(name: HostTool, params: unknown, effect: EffectContext): Promise<InstructionResult> {
    const { env, timeouts, monotonic, newTemporaryName, undo } = this.#deps;
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
          timeoutMs,
          newTemporaryName,
          keeper: (after) => undo.keeper(instructionId, after),
        },
        monotonic,
      );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ...ended('failed', 'internal', why), duration_ms: 0 };
    }
  }

  /** Keeps out of a text what the policy names as secret now. */
  redactor(): Redact {
    const { env, policyFile } = this.#deps;
    return redactor(policyFile.current(), { env, readFile: (path) => readTextFile(expandHome(path)) });
  }

  #roots(): Roots {
    const { policyFile, workspace, protectedPaths } = this.#deps;
    return openRoots(policyFile.current()?.roots ?? [workspace], protectedPaths);
  }
}
