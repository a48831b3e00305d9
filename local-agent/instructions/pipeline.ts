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
import type { Reply, ReplyQueue } from '../delivery/replies.ts';
import type { Store } from '../store/store.ts';
import type { HostPolicy } from './host-policy.ts';
import { Lanes } from './lanes.ts';
import type { ExecutionRow, MessageRow } from './ledger.ts';
import { Ledger } from './ledger.ts';
import { isOpen, nextStep } from './next-step.ts';
import { ingestBody, reasonToIgnore } from './observe.ts';
import { composeReply } from './reply.ts';
import { Reports, streamOf } from './reports.ts';
import { toolNameOf } from './tool-name.ts';
import { isHostTool } from './tools/registry.ts';
import type { InstructionResult, ToolOutcome } from './tools/tool.ts';
import { ended } from './tools/tool.ts';

/** Conversations whose effects run beside each other. */
const MAX_PARALLEL = 4;

export interface PipelineDeps {
  store: Store;
  controllerId: string;
  hostPolicy: Pick<HostPolicy, 'judge' | 'approval' | 'perform'>;
  replies: ReplyQueue;
  /** Wall clock, Unix milliseconds. */
  now: () => number;
  log: Pick<Logger, 'info' | 'error'>;
  /** A message or an execution has changed. */
  onChange: () => void;
  /** An output longer than that is delivered as a summary with a link. */
  inlineChars?: number;
}

export class Pipeline {
  readonly ledger: Ledger;
  readonly #deps: PipelineDeps;
  readonly #reports: Reports;
  readonly #lanes: Lanes;
  readonly #stopping = new AbortController();

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
    this.ledger = new Ledger(deps.store.db);
    this.#reports = new Reports(deps.store.outbox, deps.controllerId);
    this.#lanes = new Lanes(MAX_PARALLEL, (error) => deps.log.error({ err: error }, 'a message could not be advanced'));
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
    const { store, controllerId, hostPolicy } = this.#deps;
    const body = ingestBody(
      { ...frame, conversation_id: frame.conversation_id },
      {
        controllerId,
        judge: (instruction, platform) => hostPolicy.judge(instruction, platform),
        approval: (instruction) => hostPolicy.approval(instruction),
      },
    );
    store.transaction(() =>
      store.outbox.append({
        stream: streamOf(body),
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
    if (message) this.#lanes.run(streamOf(message), () => this.#step(messageId));
  }

  /**
   * At start-up, before new messages are taken: ends as `interrupted` what had begun and left no result, and goes on
   * with the rest. An instruction of the edge is not lost with this host: its request is in the outbox.
   */
  recover(): void {
    for (const messageId of this.ledger.executing()) {
      const message = this.ledger.message(messageId);
      if (!message) continue;
      for (const execution of this.ledger.executions(messageId)) {
        const name = toolNameOf(execution.name);
        const begun = execution.started_at !== null && execution.result === null && isOpen(execution.status);
        if (!begun || (name && !isHostTool(name))) continue;
        const outcome = ended('interrupted', 'agent_died', 'the agent ended while it ran');
        this.#end(message, execution, { ...outcome, duration_ms: 0 });
      }
      this.advance(messageId);
    }
  }

  /** Instructions as the edge has them now, such as approvals that expired: those not begun here follow it. */
  observe(instructions: readonly Pick<Instruction, 'instruction_id' | 'status' | 'gate'>[]): void {
    const { store, onChange } = this.#deps;
    const touched = new Set<string>();
    store.transaction(() => {
      for (const { instruction_id, status, gate } of instructions) {
        const known = this.ledger.execution(instruction_id);
        if (!known || isOpen(status)) continue;
        this.ledger.stand(instruction_id, { status, gate, claimUntil: null });
        touched.add(known.message_id);
      }
    });
    for (const messageId of touched) this.advance(messageId);
    if (touched.size > 0) onChange();
  }

  /** Begins nothing more, ends what runs as `interrupted`, and waits until that is stored. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#lanes.idle();
  }

  async #step(messageId: string): Promise<void> {
    const message = this.ledger.message(messageId);
    if (message?.state !== 'executing' || this.#stopping.signal.aborted) return;
    const executions = this.ledger.executions(messageId);
    const next = nextStep(executions, this.#deps.now());
    switch (next.type) {
      case 'wait':
        return;
      case 'reply':
        return this.#reply(message, executions);
      case 'give_up': {
        const outcome = ended('interrupted', 'claim_expired', 'its claim ran out before it began');
        return this.#end(message, next.execution, { ...outcome, duration_ms: 0 });
      }
      case 'execute':
        return await this.#execute(message, next.execution);
      default:
        return next satisfies never;
    }
  }

  async #execute(message: MessageRow, execution: ExecutionRow): Promise<void> {
    const { hostPolicy } = this.#deps;
    const name = toolNameOf(execution.name);
    if (!name) return this.#refuse(message, execution, ended('denied', 'unknown_tool', 'there is no such tool here'));
    const { decision, rule } = hostPolicy.judge({ name, params: execution.params }, message.platform);
    if (decision !== 'allow' && decision !== 'control') {
      return this.#refuse(
        message,
        execution,
        ended('denied', 'denied_by_policy', `the policy says ${decision}: ${rule}`),
      );
    }
    if (!isHostTool(name)) return this.#runAtEdge(message, execution);
    if (!this.#start(message, execution)) return;
    const result = await hostPolicy.perform(name, execution.params, this.#stopping.signal);
    this.#end(message, execution, result);
  }

  /** Sets the mark; false when it stood already, so that the effect is not this call's to do. */
  #start(message: MessageRow, { instruction_id }: ExecutionRow): boolean {
    const { store, now, onChange } = this.#deps;
    const first = store.transaction(() => {
      if (!this.ledger.start(instruction_id, now())) return false;
      this.#reports.started(message, instruction_id);
      return true;
    });
    onChange();
    return first;
  }

  #runAtEdge(message: MessageRow, { instruction_id }: ExecutionRow): void {
    const { store, now, onChange } = this.#deps;
    store.transaction(() => {
      if (this.ledger.start(instruction_id, now())) this.#reports.run(message, instruction_id);
    });
    onChange();
  }

  /** Ends an instruction that may not take effect: begun and ended at once, which is the edge's way to `denied`. */
  #refuse(message: MessageRow, execution: ExecutionRow, outcome: ToolOutcome): void {
    this.#deps.store.transaction(() => {
      if (this.#start(message, execution)) this.#end(message, execution, { ...outcome, duration_ms: 0 });
    });
  }

  #end(message: MessageRow, { instruction_id }: ExecutionRow, result: InstructionResult): void {
    const { store, now, onChange } = this.#deps;
    store.transaction(() => {
      this.ledger.finish(instruction_id, result, now());
      this.#reports.result(message, instruction_id, result);
    });
    onChange();
  }

  #reply(message: MessageRow, executions: readonly ExecutionRow[]): void {
    const { store, replies, onChange, inlineChars = DELIVERY.inline_chars } = this.#deps;
    const reply: Reply = {
      plan_id: `reply:${message.message_id}`,
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
      replies.enqueue(reply);
    });
    onChange();
  }
}
