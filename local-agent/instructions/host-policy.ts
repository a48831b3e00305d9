/** The policy of this host at work: its verdicts, its roots and its secrets, all as `policy.json` says at that moment. */
import type { Platform } from '../../schema/contracts/common.ts';
import type { InstructionInput, PolicyVerdict } from '../../schema/contracts/instructions.ts';
import type { HostTool, ToolName } from '../../schema/contracts/tools.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { Roots } from '../host/roots.ts';
import { expandHome, openRoots } from '../host/roots.ts';
import { readTextFile } from '../host/text-file.ts';
import { approvalOf } from './approval.ts';
import { judge } from './policy.ts';
import type { PolicyFile } from './policy-file.ts';
import { redactor } from './redact.ts';
import { runHostTool } from './tools/registry.ts';
import type { InstructionResult } from './tools/tool.ts';
import { ended } from './tools/tool.ts';

export interface HostPolicyDeps {
  policyFile: Pick<PolicyFile, 'current'>;
  /** Where tools may work when the policy names no roots. */
  workspace: string;
  /** What belongs to the agent: `policy.json`, `config.toml`, the state folder. */
  protectedPaths: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** How long an instruction may take; the tool table's own times when absent. */
  timeouts: { timeoutMs: number; execTimeoutMs: number };
  monotonic: () => number;
  newTemporaryName: () => string;
}

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
  async perform(name: HostTool, params: unknown, signal: AbortSignal): Promise<InstructionResult> {
    const { env, timeouts, monotonic, newTemporaryName, policyFile } = this.#deps;
    try {
      const own = name === 'conductor::exec' ? timeouts.execTimeoutMs : timeouts.timeoutMs;
      const timeoutMs = Math.min(own, INSTRUCTION.exec_timeout_ms);
      const redact = redactor(policyFile.current(), { env, readFile: (path) => readTextFile(expandHome(path)) });
      return await runHostTool(
        name,
        params,
        { roots: this.#roots(), redact, env, signal, timeoutMs, newTemporaryName },
        monotonic,
      );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ...ended('failed', 'internal', why), duration_ms: 0 };
    }
  }

  #roots(): Roots {
    const { policyFile, workspace, protectedPaths } = this.#deps;
    return openRoots(policyFile.current()?.roots ?? [workspace], protectedPaths);
  }
}
