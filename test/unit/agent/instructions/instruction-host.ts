/** A host with a real store in a folder of its own, its pipeline, and an edge that responds to the requests of the outbox. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ExecutionStore } from '../../../../local-agent/instructions/execution-store.ts';
import { Instructions } from '../../../../local-agent/instructions/instructions.ts';
import type { StartGate } from '../../../../local-agent/instructions/next-step.ts';
import type { OutgoingMessage, PromptSubject } from '../../../../local-agent/instructions/outgoing.ts';
import { patientClock } from '../../../../local-agent/lib/patient-clock.ts';
import type { OutboxRow } from '../../../../local-agent/store/outbox.ts';
import type { Store } from '../../../../local-agent/store/store.ts';
import { openStore } from '../../../../local-agent/store/store.ts';
import type { ConversationReading, FinalMessage } from '../../../../schema/contracts/bridge-frames.ts';
import type { TargetPayload } from '../../../../schema/contracts/conversations.ts';
import type { IngestBody, ReportedResult } from '../../../../schema/contracts/instructions.ts';
import type { MessageProgressBody } from '../../../../schema/contracts/progress.ts';
import { MessageProgressBodySchema } from '../../../../schema/contracts/progress.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';
import { TestClock } from '../../../support/test-clock.ts';

type ProgressItem = MessageProgressBody['items'][number];

export const NODE_ID = 'node-1';

export function tempFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'baa-instructions-')));
}

export function finalMessage(raw_text: string, with_: Partial<FinalMessage> = {}): FinalMessage {
  return {
    type: 'browser.final_message',
    request_id: 'request-1',
    client_id: 'firefox-1',
    platform: 'chatgpt',
    conversation_id: 'conversation-1',
    assistant_message_id: 'assistant-1',
    raw_text,
    role: 'assistant',
    observed_at: 1_000,
    page_url: 'https://chatgpt.com/c/conversation-1',
    page_title: 'A chat',
    tab_id: 7,
    shell_page: false,
    capture: { source: 'network', other: 'agrees' },
    ...with_,
  };
}

/** A message with one `baa` block. */
export function block(...lines: string[]): string {
  return ['Here you go.', '', '```baa', ...lines, '```'].join('\n');
}

export interface HostOptions {
  policy?: unknown;
  /** Breaks the agent where a test wants it to end. */
  env?: Record<string, string>;
}

/** A host. Its folder, with database and workspace, survives `kill`. */
export class InstructionHost {
  readonly root = tempFolder();
  readonly workspace = join(this.root, 'workspace');
  readonly replies: OutgoingMessage[] = [];
  readonly logged: unknown[] = [];
  readonly #options: HostOptions;
  #onReply: (() => void) | undefined;
  readonly prompts: (OutgoingMessage & { requestedBy: PromptSubject })[] = [];
  /** The agent's timers. They run only when a test advances them. */
  readonly timers = new TestClock();
  /** The tab in this host's browser, and what a reading of it returns. */
  target: TargetPayload | null = null;
  reading: ConversationReading | null | 'no response' = null;
  now = 1_000_000;
  /** Time that has passed for this host without anything happening. */
  silentMs = 0;
  /** What the agent knows about the edge. */
  gate: StartGate = 'open';
  hasFreeDescriptors = true;
  /** The modes that responses have named. */
  readonly modes: string[] = [];
  store!: Store;
  instructions!: Instructions;

  constructor(options: HostOptions = {}) {
    this.#options = options;
    mkdirSync(this.workspace);
    mkdirSync(join(this.root, 'state'));
    if (options.policy !== undefined) this.writePolicy(options.policy);
    this.boot();
  }

  writePolicy(policy: unknown): void {
    writeFileSync(join(this.root, 'policy.json'), typeof policy === 'string' ? policy : JSON.stringify(policy));
  }

  /** Opens the store and builds the pipeline, as at start-up. */
  boot(): void {
    this.store = openStore(join(this.root, 'state', 'agent.sqlite'), {
      now: () => this.now,
      newOutboxId: () => 'outbox',
    });
    const log = (entry: unknown) => void this.logged.push(entry);
    let temporary = 0;
    this.instructions = new Instructions({
      store: this.store,
      nodeId: NODE_ID,
      outgoing: {
        enqueueReply: (reply) => {
          this.replies.push(reply);
          this.#onReply?.();
        },
        enqueuePrompt: (prompt, requestedBy) => void this.prompts.push({ ...prompt, requestedBy }),
      },
      targets: { choose: () => this.target },
      reader: {
        read: async () => (this.reading === 'no response' ? await new Promise(() => undefined) : this.reading),
      },
      clock: patientClock(
        {
          now: () => this.now,
          monotonic: () => performance.now() + this.silentMs,
          after: (delayMs, run) => this.timers.after(delayMs, run),
        },
        log,
      ),
      log: { info: log, warn: log, error: log },
      policyPath: join(this.root, 'policy.json'),
      workspace: this.workspace,
      undoFolder: join(this.root, 'state', 'undo'),
      protectedPaths: [join(this.root, 'state')],
      env: { PATH: process.env.PATH, ...this.#options.env },
      timeouts: { timeoutMs: INSTRUCTION.timeout_ms, execTimeoutMs: INSTRUCTION.exec_timeout_ms },
      replyChars: 2_000,
      startGate: () => this.gate,
      hasFreeDescriptors: () => this.hasFreeDescriptors,
      onMode: (mode) => this.modes.push(mode),
      newTemporaryName: () => `.temporary-${++temporary}`,
      onChange: () => undefined,
    });
  }

  /** Kills the agent. Only its files remain; running effects are lost with it. */
  kill(): void {
    this.store.close();
    this.timers.dropTimers();
  }

  async close(): Promise<void> {
    await this.instructions.stop();
    this.store.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** The oldest pending request, of that stream or of any. Throws when it is of another kind. */
  pendingRequest(kind: string, stream?: string): OutboxRow {
    const streams = stream === undefined ? this.store.outbox.pendingStreams() : [stream];
    const row = streams.map((one) => this.store.outbox.head(one))[0];
    if (row?.kind !== kind) throw new Error(`expected ${kind} to be pending, found ${row?.kind ?? 'nothing'}`);
    return row;
  }

  hasRequests(): boolean {
    return this.store.outbox.pendingCount() > 0;
  }

  /** The edge responds to the oldest request, which must be of that kind. */
  respond(kind: string, response: unknown, stream?: string): unknown {
    const row = this.pendingRequest(kind, stream);
    const handler = this.instructions.responseHandlers[kind];
    if (!handler) throw new Error(`no handler for ${kind}`);
    const sent = {
      stream: row.stream,
      body: JSON.parse(row.body),
      context: JSON.parse(row.context),
      respondedAt: this.now,
    };
    const after = this.store.transaction(() => {
      this.store.outbox.remove(row.id);
      return handler.onResponse(handler.schema.parse(response), sent);
    });
    after?.();
    return sent.body;
  }

  /** The edge refuses the oldest request. */
  refuse(kind: string, code: string): void {
    const row = this.pendingRequest(kind);
    const handler = this.instructions.responseHandlers[kind];
    const refusal = { status: 409, code, message: code };
    const sent = {
      stream: row.stream,
      body: JSON.parse(row.body),
      context: JSON.parse(row.context),
      respondedAt: this.now,
    };
    const after = this.store.transaction(() => {
      this.store.outbox.refuse(row.id, refusal);
      return handler?.onRefusal?.(refusal, sent);
    });
    after?.();
  }

  /** Accepts the pending ingest. An instruction gets the given decision, by default `claimed`. */
  accept(
    decisions: Record<number, { status: string; gate?: string }> = {},
    ingest_status = 'accepted',
    automation_status = 'auto',
  ): IngestBody {
    const body = JSON.parse(this.pendingRequest('ingest').body) as IngestBody;
    this.respond('ingest', {
      message_id: 'msg_1',
      local_conversation_id: 'lc_1',
      ingest_status,
      automation_status,
      mode: 'running',
      mode_version: 1,
      instructions: body.instructions.map(({ index }) => ({
        instruction_id: `ins_${index}`,
        index,
        status: decisions[index]?.status ?? 'claimed',
        claim_expires_in_ms: 60_000,
        gate: decisions[index]?.gate ?? null,
      })),
    });
    return body;
  }

  /**
   * Responds to the pending progress request. Each instruction then has the status that was reported, or the one in
   * `statuses`, or the one it had. Returns the request's items.
   */
  acceptProgress(statuses: Record<string, { status: string; gate?: string }> = {}, mode = 'running'): ProgressItem[] {
    const stream = this.store.outbox.pendingStreams().find((one) => one.startsWith('conv:'));
    const { items } = MessageProgressBodySchema.parse(JSON.parse(this.pendingRequest('progress', stream).body));
    const instructions = new ExecutionStore(this.store.db).executions('msg_1').map((execution) => {
      const { instruction_id, idx: index, status, gate } = execution;
      const item = items.find((one) => one.instruction_id === instruction_id);
      const known = item?.result?.status ?? (item?.started ? 'running' : status);
      const said = { status: known, gate, ...statuses[instruction_id] };
      const claim_expires_in_ms = ['claimed', 'running'].includes(said.status) ? 60_000 : null;
      const stored = { artifact_id: null, artifact_url: 'https://edge.example/artifact/1/x', output_chars: 0 };
      return { instruction_id, index, ...said, claim_expires_in_ms, ...stored };
    });
    const message = { message_id: 'msg_1', ingest_status: 'accepted', mode, mode_version: 1 };
    this.respond('progress', { ...message, instructions }, stream);
    return items;
  }

  /** Responds to the pending progress request, which must carry the result of that instruction. Returns the result. */
  acceptResult(id: string, statuses?: Record<string, { status: string; gate?: string }>): ReportedResult {
    const result = this.acceptProgress(statuses).find((item) => item.instruction_id === id)?.result;
    if (!result) throw new Error(`the request does not carry the result of ${id}`);
    return result;
  }

  /** Resolves when the instruction has started. */
  async started(id: string): Promise<void> {
    while ((new ExecutionStore(this.store.db).execution(id)?.started_at ?? null) === null) await setImmediate();
  }

  /** The text of the nth reply, when it has been queued. */
  async reply(nth = 1): Promise<string> {
    while (this.replies.length < nth) {
      await new Promise<void>((resolve) => {
        this.#onReply = resolve;
      });
    }
    return this.replies[nth - 1]?.message_text ?? '';
  }

  /** The stored state of the message. */
  messageState(): unknown {
    return this.store.db.prepare('SELECT state FROM messages').get()?.state;
  }

  /** Resolves when the outbox holds something to send. */
  async nextRequest(): Promise<void> {
    while (!this.hasRequests()) {
      await new Promise<void>((resolve) => {
        const off = this.store.outbox.onAppend(() => {
          off();
          resolve();
        });
      });
    }
  }
}
