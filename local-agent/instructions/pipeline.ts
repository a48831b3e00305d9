/**
 * A message's way through this host, in steps that are each one transaction: observed → told to the edge → claimed →
 * started → ended → told → replied. Only the effect itself stands outside, between the `started` mark, which is
 * synced before it, and the result. So whatever kills the agent, an effect happens at most once: before the mark the
 * instruction runs at the restart while its claim lives; after it, without a result, it is `interrupted`.
 * The next instruction begins only when the edge has answered to the one before: that answer says what still may.
 */
import type { Logger } from 'pino';
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import { DELIVERY, RENEWAL } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';
import { KeyedQueue } from '../lib/keyed-queue.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import type { ToolOutcome } from '../tools/tool.ts';
import { ended } from '../tools/tool.ts';
import { killOrphan } from '../worker-runner/orphans.ts';
import type { BrowserWork } from './browser-work.ts';
import { isPrompt } from './browser-work.ts';
import { Effects } from './execute.ts';
import type { ExecutionRow, MessageRow } from './execution-store.ts';
import { ExecutionStore } from './execution-store.ts';
import { ingestBody, reasonToIgnore } from './ingest-body.ts';
import { isOpen, nextStep } from './next-step.ts';
import { OutboxReports } from './outbox-reports.ts';
import type { OutgoingQueue } from './outgoing.ts';
import { composeReply } from './reply.ts';

/** Conversations whose effects run beside each other. */
const MAX_PARALLEL = 4;

export interface PipelineDeps {
  store: Store;
  nodeId: string;
  hostPolicy: Pick<HostPolicy, 'judge' | 'approval' | 'perform'>;
  outgoing: Pick<OutgoingQueue, 'enqueueReply'>;
  browsers: BrowserWork;
  clock: Pick<Clock, 'now' | 'after'>;
  log: Pick<Logger, 'info' | 'error'>;
  /** A message or an execution has changed. */
  onChange: () => void;
  /** An output longer than that is delivered as a summary with a link. */
  inlineChars?: number;
}

export class Pipeline {
  readonly ledger: ExecutionStore;
  readonly #deps: PipelineDeps;
  readonly effects: Effects;
  readonly reports: OutboxReports;
  readonly #lanes: KeyedQueue;

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
    this.ledger = new ExecutionStore(deps.store.db);
    this.reports = new OutboxReports(deps.store.outbox, deps.nodeId);
    this.effects = new Effects({ ...deps, ledger: this.ledger, reports: this.reports });
    this.#lanes = new KeyedQueue(MAX_PARALLEL, (error) =>
      deps.log.error({ err: error }, 'a message could not be advanced'),
    );
  }

  /**
   * Stores what the edge is asked about a final message; when it returns, the message may be acknowledged. What is
   * not an assistant's, or is tied to no conversation, is not stored and may be acknowledged all the same.
   */
  onFinalMessage(frame: FinalMessage, ageMs = 0): void {
    const ignored = reasonToIgnore(frame);
    if (ignored || frame.conversation_id === null) {
      this.#deps.log.info({ request_id: frame.request_id, why: ignored }, 'message not ingested');
      return;
    }
    const { store, nodeId, hostPolicy } = this.#deps;
    const body = ingestBody(
      { ...frame, conversation_id: frame.conversation_id },
      {
        nodeId,
        judge: (instruction, platform) => hostPolicy.judge(instruction, platform),
        approval: (instruction) => hostPolicy.approval(instruction),
      },
    );
    store.transaction(() =>
      store.outbox.append({
        stream: conversationStream(body),
        kind: 'ingest',
        method: 'POST',
        path: '/v1/messages',
        body,
        context: {},
        ageMs,
      }),
    );
  }

  /** Goes on with a message, in its conversation's turn. */
  advance(messageId: string): void {
    const message = this.ledger.message(messageId);
    if (message) this.#lanes.run(conversationStream(message), () => this.#step(messageId));
  }

  /**
   * At start-up, before new messages are taken: ends as `interrupted` what had begun and left no result, and goes on
   * with the rest. What the edge was asked is not lost with this host, since the request is in the outbox; nor is a
   * prompt, which is a delivery and ends as one.
   */
  recover(): void {
    for (const messageId of this.ledger.executing()) {
      const message = this.ledger.message(messageId);
      if (!message) continue;
      for (const execution of this.ledger.executions(messageId)) {
        const begun = execution.started_at !== null && execution.result === null && isOpen(execution.status);
        if (!begun || execution.elsewhere || isPrompt(execution.name)) continue;
        const outlived = execution.process !== null && killOrphan(execution.process);
        const what = `the agent ended while it ran${outlived ? '; the program was ended now' : ''}`;
        this.effects.end(message, execution, { ...ended('interrupted', 'agent_died', what), duration_ms: 0 });
      }
      this.advance(messageId);
    }
  }

  /**
   * Instructions as the edge has them now, such as approvals that expired. Those not begun here follow it, one canceled
   * meanwhile is ended, and of one that was done elsewhere the result is fetched.
   */
  observe(instructions: readonly Pick<Instruction, 'instruction_id' | 'status' | 'gate'>[]): void {
    const { store, onChange } = this.#deps;
    const touched = new Set<string>();
    store.transaction(() => {
      for (const { instruction_id, status, gate } of instructions) {
        const known = this.ledger.execution(instruction_id);
        const message = known && this.ledger.message(known.message_id);
        if (!message || isOpen(status)) continue;
        if (known.elsewhere && known.result === null) this.reports.run(message, instruction_id);
        else if (status === 'canceled') this.effects.running.cancel(instruction_id);
        this.ledger.stand(instruction_id, { status, gate, claimUntil: null });
        touched.add(known.message_id);
      }
    });
    for (const messageId of touched) this.advance(messageId);
    if (touched.size > 0) onChange();
  }

  /** A person wants it ended. One that runs ends by itself; one that has not begun ends now. */
  cancel(instructionId: string): 'noted' | 'ended' | 'unknown' {
    const execution = this.ledger.execution(instructionId);
    const message = execution && this.ledger.message(execution.message_id);
    if (!message) return 'unknown';
    if (execution.result !== null || !isOpen(execution.status)) return 'ended';
    if (!this.effects.running.cancel(instructionId) && execution.started_at === null) {
      this.effects.refuse(message, execution, ended('canceled', 'canceled', 'it was canceled before it began'));
    }
    return 'noted';
  }

  /** A prompt of one of the instructions here has ended, told in the transaction that stores it. */
  promptEnded(instructionId: string, outcome: ToolOutcome): void {
    const execution = this.ledger.execution(instructionId);
    const message = execution && this.ledger.message(execution.message_id);
    if (!message || execution.result !== null) return;
    const durationMs = Math.max(0, this.#deps.clock.now() - (execution.started_at ?? 0));
    this.effects.end(message, execution, { ...outcome, duration_ms: durationMs });
  }

  /** Begins nothing more, ends what runs as `interrupted`, and waits until that is stored. */
  async stop(): Promise<void> {
    this.effects.running.stop();
    await this.#lanes.idle();
  }

  async #step(messageId: string): Promise<void> {
    const message = this.ledger.message(messageId);
    if (message?.state !== 'executing' || this.effects.running.isStopped) return;
    const executions = this.ledger.executions(messageId);
    const next = nextStep(executions, this.#deps.clock.now());
    switch (next.type) {
      case 'wait':
        return;
      case 'reply':
        return this.#reply(message, executions);
      case 'give_up': {
        const outcome = ended('interrupted', 'claim_expired', 'its claim ran out before it began');
        return this.effects.end(message, next.execution, { ...outcome, duration_ms: 0 });
      }
      case 'execute':
        return await this.effects.execute(message, next.execution);
      default:
        return next satisfies never;
    }
  }

  #reply(message: MessageRow, executions: readonly ExecutionRow[]): void {
    const { store, outgoing, onChange, inlineChars = DELIVERY.inline_chars } = this.#deps;
    const reply = {
      plan_id: message.round === 1 ? `reply:${message.message_id}` : `reply:${message.message_id}:${message.round}`,
      subject_id: message.message_id,
      platform: message.platform,
      client_id: message.client_id,
      conversation_id: message.remote_conversation_id,
      target: message.target,
      message_text: composeReply(executions, message.block_errors, { inlineChars }),
      assistant_message_id: message.assistant_message_id,
      timeout_ms: RENEWAL.delivery_timeout_ms,
    };
    store.transaction(() => {
      this.ledger.setState(message.message_id, 'replying');
      outgoing.enqueueReply(reply);
    });
    onChange();
  }
}
