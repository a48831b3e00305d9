/**
 * One instruction from its turn to its stored end. The policy is judged once more and what a person approved is hashed
 * once more, then the `started` mark is synced, then the effect happens, then its result is stored together with the
 * outbox row that tells it. Whoever finds the mark set does not do the effect.
 */
import type { PolicyVerdict } from '../../schema/contracts/instructions.ts';
import type { HostTool, ToolName } from '../../schema/contracts/tools.ts';
import { isBrowserTool } from '../../schema/contracts/tools.ts';
import type { Clock } from '../lib/clock.ts';
import { howToAllow } from '../policy/denial.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { Store } from '../store/store.ts';
import { isHostTool } from '../tools/registry.ts';
import type { InstructionResult, ToolOutcome } from '../tools/tool.ts';
import { ended } from '../tools/tool.ts';
import type { BrowserWork } from './browser-work.ts';
import type { ExecutionRow, ExecutionStore, MessageRow } from './execution-store.ts';
import { LiveOutput } from './live-output.ts';
import type { OutboxReports } from './outbox-reports.ts';
import { RunningEffects } from './running.ts';
import { toolNameOf } from './tool-name.ts';

export interface EffectsDeps {
  store: Store;
  ledger: ExecutionStore;
  reports: OutboxReports;
  hostPolicy: Pick<HostPolicy, 'judge' | 'approval' | 'perform'>;
  browsers: BrowserWork;
  clock: Pick<Clock, 'now' | 'after'>;
  /** An execution has changed. */
  onChange: () => void;
}

export class Effects {
  readonly running = new RunningEffects();
  readonly #deps: EffectsDeps;

  constructor(deps: EffectsDeps) {
    this.#deps = deps;
  }

  /** Does what the instruction asks, unless the policy or a person's approval does not cover it any more. */
  async execute(message: MessageRow, execution: ExecutionRow): Promise<void> {
    const name = toolNameOf(execution.name);
    if (!name) return this.refuse(message, execution, ended('denied', 'unknown_tool', 'there is no such tool here'));
    const refusal = this.#refusal(name, message, execution);
    if (refusal) return this.refuse(message, execution, refusal);
    if (isHostTool(name)) return await this.#onHost(name, message, execution);
    if (isBrowserTool(name) && this.#inBrowser(name, message, execution)) return;
    this.#atEdge(message, execution);
  }

  /** Ends an instruction that may not take effect: begun and ended at once, which is the edge's way to `denied`. */
  refuse(message: MessageRow, execution: ExecutionRow, outcome: ToolOutcome): void {
    this.#deps.store.transaction(() => {
      if (this.#start(message, execution)) this.end(message, execution, { ...outcome, duration_ms: 0 });
    });
  }

  end(message: MessageRow, { instruction_id }: ExecutionRow, result: InstructionResult): void {
    const { store, ledger, reports, clock, onChange } = this.#deps;
    store.transaction(() => {
      ledger.finish(instruction_id, result, clock.now());
      reports.result(message, instruction_id, result);
    });
    onChange();
  }

  #refusal(name: ToolName, message: MessageRow, { params, approved_hash }: ExecutionRow): ToolOutcome | null {
    const { hostPolicy } = this.#deps;
    const verdict = hostPolicy.judge({ name, params }, message.platform);
    const isApproved = verdict.decision === 'ask' && approved_hash !== null;
    if (!isApproved && verdict.decision !== 'allow' && verdict.decision !== 'control') return deniedBy(verdict);
    if (approved_hash === null || hostPolicy.approval({ name, params }).approval_hash === approved_hash) return null;
    const why = 'a file, a folder or the call is not what was approved any more; ask again';
    return ended('denied', 'approval_drifted', why);
  }

  async #onHost(name: HostTool, message: MessageRow, execution: ExecutionRow): Promise<void> {
    const { hostPolicy, ledger } = this.#deps;
    const { instruction_id } = execution;
    if (!this.#start(message, execution)) return;
    const controller = new AbortController();
    const live = this.#liveOutput(message, instruction_id);
    this.running.add(instruction_id, { controller, live });
    try {
      const result = await hostPolicy.perform(name, execution.params, {
        instructionId: instruction_id,
        signal: controller.signal,
        onProcess: (running) => ledger.setProcess(instruction_id, running),
        onOutput: (text) => live.take(text),
      });
      this.running.delete(instruction_id);
      this.end(message, execution, result);
    } finally {
      this.running.delete(instruction_id);
    }
  }

  /** A browser of this host does it; false when there is none with that platform. */
  #inBrowser(name: Parameters<BrowserWork['begin']>[0]['name'], message: MessageRow, execution: ExecutionRow): boolean {
    const { store, browsers } = this.#deps;
    const { instruction_id, params } = execution;
    const end = (result: InstructionResult) => this.end(message, execution, result);
    return store.transaction(() => {
      const begin = browsers.begin({ name, params, subject: { kind: 'instruction', id: instruction_id }, onEnd: end });
      if (begin === null) return false;
      if (this.#start(message, execution)) begin();
      return true;
    });
  }

  #atEdge(message: MessageRow, { instruction_id }: ExecutionRow): void {
    const { store, ledger, reports, clock, onChange } = this.#deps;
    store.transaction(() => {
      if (ledger.start(instruction_id, clock.now(), true)) reports.run(message, instruction_id);
    });
    onChange();
  }

  /** Sets the mark; false when it stood already, so that the effect is not this call's to do. */
  #start(message: MessageRow, { instruction_id }: ExecutionRow): boolean {
    const { store, ledger, reports, clock, onChange } = this.#deps;
    const first = store.transaction(() => {
      if (!ledger.start(instruction_id, clock.now())) return false;
      reports.started(message, instruction_id);
      return true;
    });
    onChange();
    return first;
  }

  #liveOutput(message: MessageRow, instructionId: string): LiveOutput {
    const { store, reports, clock } = this.#deps;
    const tell = (offset: number, chunk: string) =>
      store.transaction(() => reports.output(message, instructionId, offset, chunk));
    return new LiveOutput({ clock, tell });
  }
}

function deniedBy({ decision, rule }: PolicyVerdict): ToolOutcome {
  const why = [`the policy says ${decision}: ${rule}`, howToAllow(rule)].filter((line) => line !== null);
  return ended('denied', 'denied_by_policy', why.join('\n'));
}
