/**
 * Executes one instruction. The policy judges it again and an approved call is hashed again, then the `started` mark is
 * committed, then the effect happens, then its result is stored together with the outbox row that reports it. An
 * instruction whose mark is set already is not executed.
 */
import type { Logger } from 'pino';
import type { PolicyVerdict } from '../../schema/contracts/instructions.ts';
import type { BrowserTool, HostTool, ToolParams } from '../../schema/contracts/tools.ts';
import { isBrowserTool } from '../../schema/contracts/tools.ts';
import type { Clock } from '../lib/clock.ts';
import { pause } from '../lib/clock.ts';
import { DISK_FAULT_ADVICE, isDiskFault } from '../lib/errno.ts';
import { howToAllow } from '../policy/denial.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { Store } from '../store/store.ts';
import { isHostTool } from '../tools/registry.ts';
import type { InstructionResult, ToolOutcome } from '../tools/tool.ts';
import { failure } from '../tools/tool.ts';
import type { ToolCall } from '../tools/tool-call.ts';
import { parseCall } from '../tools/tool-call.ts';
import { newMark } from '../worker-runner/left-behind.ts';
import type { RunningProcess } from '../worker-runner/orphans.ts';
import { startingProcess } from '../worker-runner/orphans.ts';
import type { BrowserWork } from './browser-work.ts';
import type { ExecutionRow, ExecutionStore, MessageRow } from './execution-store.ts';
import { LiveOutput } from './live-output.ts';
import type { ProgressReports } from './progress-reports.ts';
import type { RemoteCallDeps } from './remote-calls.ts';
import { requestRemoteRun } from './remote-calls.ts';
import type { RunningEffects } from './running-effects.ts';

const STORE_RETRY_MS = 2_000;

export interface InstructionExecutorDeps {
  store: Store;
  executions: ExecutionStore;
  reports: ProgressReports;
  remoteCalls: RemoteCallDeps;
  running: RunningEffects;
  hostPolicy: Pick<HostPolicy, 'judge' | 'approval' | 'drift' | 'perform'>;
  browsers: BrowserWork;
  clock: Pick<Clock, 'now' | 'after'>;
  log: Pick<Logger, 'warn'>;
  /** An execution has changed. */
  onChange: () => void;
}

export class InstructionExecutor {
  readonly running: RunningEffects;
  readonly #deps: InstructionExecutorDeps;

  constructor(deps: InstructionExecutorDeps) {
    this.#deps = deps;
    this.running = deps.running;
  }

  /** Executes the instruction, or refuses it when the policy or the approval no longer covers it. */
  async execute(message: MessageRow, execution: ExecutionRow): Promise<void> {
    const parsed = parseCall(execution.name, execution.params);
    if (!parsed.ok) {
      const status = parsed.code === 'unknown_tool' ? 'denied' : 'failed';
      return this.refuse(message, execution, failure(status, parsed.code, parsed.message));
    }
    const { call } = parsed;
    const refusal = this.#refusal(call, message, execution);
    if (refusal) return this.refuse(message, execution, refusal);
    const { name, params } = call;
    if (isHostTool(name)) return await this.#runOnHost(name, params as ToolParams<HostTool>, message, execution);
    if (isBrowserTool(name) && this.#runInBrowser(name, params as ToolParams<BrowserTool>, message, execution)) return;
    this.#runAtEdge(message, execution);
  }

  /** Why what a person approved is no longer what would run, by the changes of this host's own tools; null when it is. */
  async driftOf({
    instruction_id,
    name,
    params,
    approved_hash,
    asked_seq,
    asked_at,
  }: ExecutionRow): Promise<ToolOutcome | null> {
    if (approved_hash === null) return null;
    const parsed = parseCall(name, params);
    if (!parsed.ok) return null;
    const { hostPolicy, executions } = this.#deps;
    const effects = executions.effectsSince(asked_seq ?? 0).filter((one) => one.instruction_id !== instruction_id);
    const why = await hostPolicy.drift(parsed.call, effects, asked_at ?? 0);
    if (why === null) return null;
    return failure('denied', 'approval_drifted', `since a person was asked, ${why}; write it again, and it asks again`);
  }

  /** Ends an instruction without its effect. It is reported as started and ended, as the edge ends only what started. */
  refuse(message: MessageRow, execution: ExecutionRow, outcome: ToolOutcome): void {
    this.#deps.store.transaction(() => {
      if (this.#start(message, execution)) this.finish(message, execution, { ...outcome, duration_ms: 0 });
    });
  }

  /** Stores the result of an instruction and reports it. */
  finish(message: MessageRow, { instruction_id }: ExecutionRow, result: InstructionResult): void {
    const { store, executions, reports, clock, onChange } = this.#deps;
    store.transaction(() => {
      executions.setResult(instruction_id, result, clock.now());
      reports.report(message.message_id);
    });
    onChange();
  }

  /** Why the call may not be executed now; null when it may. */
  #refusal(call: ToolCall, message: MessageRow, { approved_hash }: ExecutionRow): ToolOutcome | null {
    const { hostPolicy } = this.#deps;
    const { platform, remote_conversation_id } = message;
    const verdict = hostPolicy.judge(call, { platform, conversation_id: remote_conversation_id });
    const isApproved = verdict.decision === 'ask' && approved_hash !== null;
    if (!isApproved && verdict.decision !== 'allow') return deniedBy(verdict);
    if (approved_hash === null || hostPolicy.approval(call).approval_hash === approved_hash) return null;
    const reason = 'the call, its folder or one of its files has changed since it was approved; ask again';
    return failure('denied', 'approval_drifted', reason);
  }

  async #runOnHost(
    name: HostTool,
    params: ToolParams<HostTool>,
    message: MessageRow,
    execution: ExecutionRow,
  ): Promise<void> {
    const { hostPolicy } = this.#deps;
    const { instruction_id } = execution;
    const mark = newMark();
    if (!this.#start(message, execution, startingProcess(mark))) return;
    const controller = new AbortController();
    const live = this.#liveOutput(message);
    this.running.add(instruction_id, { controller, live });
    try {
      const result = await hostPolicy.perform(name, params, {
        instructionId: instruction_id,
        signal: controller.signal,
        mark,
        onProcess: (running) => this.#noteProcess(instruction_id, running),
        onOutput: (text) => live.append(text),
      });
      this.running.delete(instruction_id);
      await this.#store(message, execution, result);
    } finally {
      this.running.delete(instruction_id);
    }
  }

  /** Stores the result of an effect that has happened. On a full disk it waits for space, as the result exists only here. */
  async #store(message: MessageRow, execution: ExecutionRow, result: InstructionResult): Promise<void> {
    const { clock, log } = this.#deps;
    for (;;) {
      try {
        return this.finish(message, execution, result);
      } catch (error) {
        if (!isDiskFault(error) || this.running.isStopping) throw error;
        const reason = `${String(error)}; ${DISK_FAULT_ADVICE}`;
        log.warn({ instruction_id: execution.instruction_id, reason }, 'a result cannot be stored now');
        await pause(clock, STORE_RETRY_MS);
      }
    }
  }

  /** Without its group, a program that outlives a killed agent is found by its mark alone: no reason to stop it. */
  #noteProcess(instructionId: string, running: RunningProcess): void {
    try {
      this.#deps.executions.setProcess(instructionId, running);
    } catch (error) {
      if (!isDiskFault(error)) throw error;
    }
  }

  /** Runs it in a browser of this node; false when none has the platform. */
  #runInBrowser(
    name: BrowserTool,
    params: ToolParams<BrowserTool>,
    message: MessageRow,
    execution: ExecutionRow,
  ): boolean {
    const { store, browsers } = this.#deps;
    const subject = { kind: 'instruction', id: execution.instruction_id } as const;
    const onEnd = (result: InstructionResult) => this.finish(message, execution, result);
    return store.transaction(() => {
      const start = browsers.prepare({ name, params, subject, onEnd });
      if (start === null) return false;
      if (this.#start(message, execution)) start();
      return true;
    });
  }

  #runAtEdge(message: MessageRow, { instruction_id }: ExecutionRow): void {
    const { store, executions, remoteCalls, clock, onChange } = this.#deps;
    store.transaction(() => {
      if (executions.start(instruction_id, clock.now(), true)) requestRemoteRun(remoteCalls, message, instruction_id);
    });
    onChange();
  }

  /**
   * Sets the `started` mark, and what identifies the programs of the effect. False when it is set already; then the effect
   * belongs to another call.
   */
  #start(message: MessageRow, { instruction_id }: ExecutionRow, starting?: RunningProcess): boolean {
    const { store, executions, reports, clock, onChange } = this.#deps;
    const isFirst = store.transaction(() => {
      if (!executions.start(instruction_id, clock.now())) return false;
      if (starting !== undefined) executions.setProcess(instruction_id, starting);
      reports.report(message.message_id);
      return true;
    });
    onChange();
    return isFirst;
  }

  #liveOutput({ message_id }: MessageRow): LiveOutput {
    const { store, reports, clock } = this.#deps;
    return new LiveOutput({ clock, onDue: () => store.transaction(() => reports.report(message_id)) });
  }
}

function deniedBy({ decision, rule }: PolicyVerdict): ToolOutcome {
  const lines = [`the policy says ${decision}: ${rule}`, howToAllow(rule)].filter((line) => line !== null);
  return failure('denied', 'denied_by_policy', lines.join('\n'));
}
