/**
 * The way of a message through this node, in steps that are one transaction each: observed → sent to the edge → claimed →
 * started → finished → reported → replied. Only the effect is outside of a transaction, between the `started` mark, which
 * is committed before it, and the result. So an effect happens at most once, whenever the agent is killed: before the mark
 * the instruction runs after the restart if its claim lives; after the mark, without a result, it is `interrupted`.
 */
import type { Logger } from 'pino';
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import type { ClaimedInstruction, Instruction } from '../../schema/contracts/instructions.ts';
import { DELIVERY, RENEWAL } from '../../schema/defaults.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import type { Clock } from '../lib/clock.ts';
import { DISK_FAULT_ADVICE, isDiskFault } from '../lib/errno.ts';
import { KeyedQueue } from '../lib/keyed-queue.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import type { ToolOutcome } from '../tools/tool.ts';
import { failure } from '../tools/tool.ts';
import { killOrphan } from '../worker-runner/orphans.ts';
import { describeCall } from './ask-in-turn.ts';
import type { BrowserWork } from './browser-work.ts';
import { isPrompt } from './browser-work.ts';
import { Confirmations } from './confirmations.ts';
import type { AskedAfter, ExecutionRow, MessageRow } from './execution-store.ts';
import { ExecutionStore } from './execution-store.ts';
import type { PreparedMessage } from './ingest-body.ts';
import { buildIngestBody, prepareMessage, reasonToIgnore } from './ingest-body.ts';
import { InstructionExecutor } from './instruction-executor.ts';
import { ingestContext } from './message-context.ts';
import type { NextStep, StartGate } from './next-step.ts';
import { nextStep, phaseOf } from './next-step.ts';
import type { OutgoingQueue } from './outgoing.ts';
import { ProgressReports } from './progress-reports.ts';
import type { RemoteCallDeps } from './remote-calls.ts';
import { requestRemoteRun } from './remote-calls.ts';
import { composeReply } from './reply.ts';
import { RunningEffects } from './running-effects.ts';
import { useGrants } from './use-grants.ts';

/** How soon a step is tried again that the machine does not allow now. */
const RETRY_MS = 2_000;
const NO_DESCRIPTORS =
  'this process has no free file descriptors; nothing has started. End what holds them, or raise the limit (ulimit -n)';
/** Conversations whose effects may run at the same time. */
const MAX_PARALLEL = 4;

export interface PipelineDeps {
  store: Store;
  nodeId: string;
  hostPolicy: Pick<HostPolicy, 'judge' | 'approval' | 'approvalInTurns' | 'isGranted' | 'drift' | 'perform'>;
  outgoing: Pick<OutgoingQueue, 'enqueueReply'>;
  browsers: BrowserWork;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** A message or an execution has changed. */
  onChange: () => void;
  /** Of all outputs of a reply together. */
  replyChars?: number;
  /** What this node knows about the edge now. */
  startGate: () => StartGate;
  /** Whether a tool could open files now. */
  hasFreeDescriptors: () => boolean;
}

/** Stores a message that the browser observed so long ago. @throws when it could not be stored */
export type StoreMessage = (ageMs: number) => void;

/** An execution with its message. */
interface Known {
  execution: ExecutionRow;
  message: MessageRow;
}

export class Pipeline {
  readonly executions: ExecutionStore;
  readonly executor: InstructionExecutor;
  readonly #deps: PipelineDeps;
  readonly reports: ProgressReports;
  readonly confirmations: Confirmations;
  readonly #remoteCalls: RemoteCallDeps;
  readonly #conversationQueue: KeyedQueue;

  constructor(deps: PipelineDeps) {
    const { store, nodeId, log } = deps;
    const inlineChars = DELIVERY.inline_chars;
    this.#deps = deps;
    this.confirmations = new Confirmations(deps.clock);
    this.executions = new ExecutionStore(store.db);
    const { executions } = this;
    const running = new RunningEffects();
    const liveOutput = (instructionId: string) => running.liveOutput(instructionId);
    this.#remoteCalls = { outbox: store.outbox, nodeId, inlineChars };
    this.reports = new ProgressReports({ store, nodeId, inlineChars, executions, clock: deps.clock, liveOutput });
    const { reports } = this;
    this.executor = new InstructionExecutor({
      ...deps,
      executions,
      reports,
      remoteCalls: this.#remoteCalls,
      running,
    });
    this.#conversationQueue = new KeyedQueue(MAX_PARALLEL, (error) =>
      log.error({ err: error }, 'a message could not be advanced'),
    );
  }

  /** Does what takes time about a final message; the result stores it, inside the caller's transaction. */
  prepare(frame: FinalMessage): StoreMessage | Promise<StoreMessage> {
    const prepared = prepareMessage(frame, this.#deps.hostPolicy, this.#askedNow());
    const storing = (one: PreparedMessage) => (ageMs: number) => this.onFinalMessage(frame, ageMs, one);
    return prepared instanceof Promise ? prepared.then(storing) : storing(prepared);
  }

  #askedNow(): AskedAfter {
    return { asked_seq: this.executions.lastEnded(), asked_at: this.#deps.clock.now() };
  }

  /**
   * Stores the request about a final message; after that the message may be acknowledged. A message that is not an
   * assistant's, or of no conversation, is not stored and may be acknowledged too.
   */
  onFinalMessage(frame: FinalMessage, ageMs = 0, prepared?: PreparedMessage): void {
    const { store, nodeId, hostPolicy, log } = this.#deps;
    const reason = reasonToIgnore(frame);
    if (reason !== null || frame.conversation_id === null) {
      log.info({ request_id: frame.request_id, reason }, 'message not ingested');
      return;
    }
    const asked = prepared?.asked ?? this.#askedNow();
    const body = buildIngestBody(
      { ...frame, conversation_id: frame.conversation_id },
      { nodeId, hostPolicy },
      prepared,
    );
    store.transaction(() =>
      store.outbox.append({
        stream: conversationStream(body),
        kind: 'ingest',
        method: 'POST',
        path: '/v1/messages',
        body,
        context: ingestContext(body, asked),
        ageMs,
      }),
    );
  }

  /** Judges the grants that a response offers, inside the transaction that handles it. */
  useGrants(offered: readonly ClaimedInstruction[]): void {
    const { store, nodeId, hostPolicy } = this.#deps;
    useGrants({ store, nodeId, hostPolicy, executions: this.executions }, offered);
  }

  /** Does the next step of a message, after the steps queued for its conversation. */
  advance(messageId: string): void {
    const message = this.executions.message(messageId);
    if (message) this.#conversationQueue.run(conversationStream(message), () => this.#stepOrRetry(messageId));
  }

  /**
   * At start-up, before new messages are taken: ends as `interrupted` what had started and left no result, and advances
   * all messages. Requests to the edge are in the outbox and prompts are deliveries, so both end as usual.
   */
  recover(): void {
    for (const messageId of this.executions.executingMessages()) {
      const message = this.executions.message(messageId);
      if (!message) continue;
      for (const execution of this.executions.executions(messageId)) {
        if (phaseOf(execution) !== 'started' || execution.is_remote || isPrompt(execution.name)) continue;
        const killed = execution.process !== null && killOrphan(execution.process);
        const output = `the agent ended while it ran${killed ? '; the program was killed now' : ''}`;
        const outcome = failure('interrupted', 'agent_died', output);
        this.executor.finish(message, execution, { ...outcome, duration_ms: 0 });
      }
      this.#deps.store.transaction(() => this.reports.report(messageId));
      this.advance(messageId);
    }
  }

  /** Advances every message that is executing: the mode or the contact with the edge has changed. */
  advanceAll(): void {
    for (const messageId of this.executions.executingMessages()) this.advance(messageId);
  }

  /**
   * Takes over the ends of instructions that were read from the edge, such as expired approvals. One that runs here and
   * was canceled is stopped, and the result of one that ran remotely is fetched. When an end has released another, the
   * edge is asked for the claims of the message.
   */
  observe(instructions: readonly Pick<Instruction, 'instruction_id' | 'status' | 'gate'>[]): void {
    const { store, clock, onChange } = this.#deps;
    const changed = new Set<string>();
    const released = new Set<string>();
    store.transaction(() => {
      for (const { instruction_id, status, gate } of instructions) {
        const known = this.#find(instruction_id);
        if (!known) continue;
        const { execution, message } = known;
        if (isOpenStatus(status)) {
          if (execution.status === 'waiting' && status !== 'waiting') released.add(message.message_id);
          continue;
        }
        if (execution.is_remote && execution.result === null)
          requestRemoteRun(this.#remoteCalls, message, instruction_id);
        else if (status === 'canceled') this.executor.running.cancel(instruction_id);
        this.executions.setStatus(instruction_id, { status, gate, claim_expires_in_ms: null }, clock.now());
        changed.add(message.message_id);
      }
      for (const messageId of released) this.reports.report(messageId, { force: true, again: true });
    });
    for (const messageId of changed) this.advance(messageId);
    if (changed.size > 0) onChange();
  }

  /** A person cancels an instruction. A running effect is stopped; what has not started ends at once. */
  cancel(instructionId: string): 'noted' | 'ended' | 'unknown' {
    const known = this.#find(instructionId);
    if (!known) return 'unknown';
    const { execution, message } = known;
    const phase = phaseOf(execution);
    if (phase === 'ended' || phase === 'finished') return 'ended';
    if (!this.executor.running.cancel(instructionId) && phase !== 'started') {
      this.executor.refuse(message, execution, failure('canceled', 'canceled', 'it was canceled before it started'));
    }
    return 'noted';
  }

  /** The prompt of an instruction has ended. Inside the transaction that stores its end. */
  promptEnded(instructionId: string, outcome: ToolOutcome): void {
    const known = this.#find(instructionId);
    if (!known || known.execution.result !== null) return;
    const { execution, message } = known;
    const duration_ms = Math.max(0, this.#deps.clock.now() - (execution.started_at ?? 0));
    this.executor.finish(message, execution, { ...outcome, duration_ms });
  }

  /** Starts nothing more, ends what runs as `interrupted`, and resolves when that is stored. */
  async stop(): Promise<void> {
    this.executor.running.stop();
    this.reports.stop();
    await this.#conversationQueue.idle();
  }

  #find(instructionId: string): Known | null {
    const execution = this.executions.execution(instructionId);
    const message = execution && this.executions.message(execution.message_id);
    return message ? { execution, message } : null;
  }

  /** A step that fails on a full disk has changed nothing, or stores its result later; it is tried again. */
  async #stepOrRetry(messageId: string): Promise<void> {
    try {
      await this.#step(messageId);
    } catch (error) {
      if (!isDiskFault(error)) throw error;
      this.#retryLater(messageId, `${String(error)}; ${DISK_FAULT_ADVICE}`);
    }
  }

  #retryLater(messageId: string, reason: string): void {
    const { clock, log } = this.#deps;
    log.warn({ message_id: messageId, reason, retry_in_ms: RETRY_MS }, 'a message cannot be advanced now');
    clock.after(RETRY_MS, () => this.advance(messageId));
  }

  #nextStep(message: MessageRow): NextStep {
    const { message_id } = message;
    const executions = this.executions.executions(message_id);
    const { isStopping } = this.executor.running;
    const gate = this.#deps.startGate();
    const isConfirmed = this.confirmations.isRecent(message_id);
    return nextStep({ message, executions, gate, isConfirmed, isStopping, now: this.#deps.clock.now() });
  }

  async #step(messageId: string): Promise<void> {
    const message = this.executions.message(messageId);
    if (!message) return;
    const executions = this.executions.executions(messageId);
    const next = this.#nextStep(message);
    switch (next.type) {
      case 'wait':
        return;
      case 'ask':
        return this.#deps.store.transaction(() => this.reports.report(messageId, { force: true }));
      case 'reply':
        return this.#reply(message, executions);
      case 'give_up': {
        const outcome = failure('interrupted', 'claim_expired', 'its claim expired before it started');
        return this.executor.finish(message, next.execution, { ...outcome, duration_ms: 0 });
      }
      case 'execute':
        if (!this.#deps.hasFreeDescriptors()) return this.#retryLater(messageId, NO_DESCRIPTORS);
        await this.#execute(message, next.execution);
        return this.advance(messageId);
      case 'describe':
        if (!this.#deps.hasFreeDescriptors()) return this.#retryLater(messageId, NO_DESCRIPTORS);
        return this.#ask(messageId, next.execution);
      default:
        return next satisfies never;
    }
  }

  /** Describes what an instruction asks, which takes time, and has the edge show it to a person. */
  async #ask(messageId: string, execution: ExecutionRow): Promise<void> {
    const { store, hostPolicy } = this.#deps;
    const { instruction_id } = execution;
    // What ends while it is described may not be in the description.
    const asked = this.#askedNow();
    const approval = await describeCall(hostPolicy, execution);
    const message = this.executions.message(messageId);
    if (approval === null || message === null) return;
    const next = this.#nextStep(message);
    if (next.type !== 'describe' || next.execution.instruction_id !== instruction_id) return;
    store.transaction(() => {
      this.executions.setAsked(instruction_id, asked);
      this.reports.report(messageId, { asked: { instruction_id, approval } });
    });
  }

  /** Looks for changes that make an approval void, which takes time, and then executes what may still start. */
  async #execute(message: MessageRow, execution: ExecutionRow): Promise<void> {
    const drift = await this.executor.driftOf(execution);
    const next = this.#nextStep(message);
    if (next.type !== 'execute' || next.execution.instruction_id !== execution.instruction_id) return;
    if (drift !== null) return this.executor.refuse(message, execution, drift);
    await this.executor.execute(message, next.execution);
  }

  #reply(message: MessageRow, executions: readonly ExecutionRow[]): void {
    const { store, outgoing, onChange } = this.#deps;
    const { message_id, round, platform } = message;
    this.confirmations.forget(message_id);
    // A caller through MCP reads the result at the edge.
    if (platform === 'mcp') {
      store.transaction(() => this.executions.setMessageState(message_id, 'done'));
      onChange();
      return;
    }
    store.transaction(() => {
      this.executions.setMessageState(message_id, 'replying');
      outgoing.enqueueReply({
        plan_id: round === 1 ? `reply:${message_id}` : `reply:${message_id}:${round}`,
        subject_id: message_id,
        platform,
        client_id: message.client_id,
        conversation_id: message.remote_conversation_id,
        target: message.target,
        message_text: composeReply(executions, message.block_errors, this.#deps.replyChars),
        assistant_message_id: message.assistant_message_id,
        timeout_ms: RENEWAL.delivery_timeout_ms,
      });
    });
    onChange();
  }
}
