/**
 * A small conductor in workerd: nodes and their tokens, messages as an agent sends them, ticks at a chosen time. Its
 * clock is a day ahead of the real one, so that no alarm of the objects fires during a test.
 */
import type { IngestBody, IngestResponse, InstructionInput } from '../../../schema/contracts/instructions.ts';
import type { TickEntry, TickResponse } from '../../../schema/contracts/ticks.ts';
import type { Runner } from '../../../workers/timed-jobs/job.ts';
import { RUNNERS } from '../../../workers/timed-jobs/registry.ts';
import { runTick } from '../../../workers/timed-jobs/run-tick.ts';
import { NODE, rowsOf, TestEdge } from './edge.ts';

export const OTHER_NODE = 'vps-main';
const DAY_MS = 86_400_000;
/** Far below the minute that a contact counts. */
const CONTACT_MS = 10_000;

export const DESCRIBE = { target: 'conductor', tool: 'describe', params: {} };
export const EXEC = { target: 'conductor', tool: 'exec', params: { argv: ['true'] } };
export const PAUSE = { target: 'conductor', tool: 'system/pause', params: {} };
export const RESUME = { target: 'conductor', tool: 'system/resume', params: {} };

type InstructionDraft = Partial<InstructionInput> & Pick<InstructionInput, 'target' | 'tool' | 'params'>;

/** Instructions of one block, allowed by policy unless the draft has another decision. */
export function instructionsOf(...drafts: InstructionDraft[]): InstructionInput[] {
  return drafts.map((draft, index) => ({
    block_index: 0,
    index,
    policy: { decision: 'allow', rule: 'test' },
    ...draft,
  }));
}

export class Conductor {
  readonly edge: TestEdge;
  readonly #tokens = new Map<string, string>();
  #messages = 0;
  /** By the real clock; never, until NODE is heard. */
  #heardAt = Number.POSITIVE_INFINITY;

  constructor(bindings: Partial<Env> = {}) {
    this.edge = new TestEdge({ now: Date.now() + DAY_MS, env: bindings });
  }

  async token(nodeId: string = NODE): Promise<string> {
    const known = this.#tokens.get(nodeId);
    if (known !== undefined) return known;
    const { token } = await this.edge.mint('controller', { controller_id: nodeId });
    this.#tokens.set(nodeId, token);
    await this.heard(nodeId);
    return token;
  }

  /** The node polls for its commands, as one without a socket does, and so is in contact for a minute. */
  async heard(nodeId: string): Promise<void> {
    const token = await this.token(nodeId);
    await this.edge.data('GET', `/v1/controllers/${nodeId}/commands`, { token });
    if (nodeId === NODE) this.#heardAt = performance.now();
  }

  /** A contact counts for a minute of the real clock, and tests on a busy machine take longer. */
  async stayInContact(): Promise<void> {
    if (performance.now() - this.#heardAt > CONTACT_MS) await this.heard(NODE);
  }

  /** A message of NODE's browser with a new id and text, unless given. */
  message(more: Partial<IngestBody> = {}): IngestBody {
    this.#messages += 1;
    const remote_conversation_id = more.remote_conversation_id ?? 'conv-1';
    return {
      controller_id: NODE,
      // Each node has a browser of its own.
      client_id: (more.controller_id ?? NODE) === NODE ? 'firefox-1' : `firefox-of-${more.controller_id}`,
      platform: 'chatgpt',
      remote_conversation_id,
      assistant_message_id: `assistant-${this.#messages}`,
      raw_text: `text number ${this.#messages}`,
      role: 'assistant',
      observed_at: this.edge.now,
      capture: { source: 'network', other: 'agrees' },
      link: {
        remote_conversation_id,
        page_url: `https://chatgpt.com/c/${remote_conversation_id}`,
        page_title: 'A chat',
        tab_id: 17,
        shell_page: false,
        observed_at: this.edge.now,
      },
      block_errors: [],
      instructions: [],
      ...more,
    };
  }

  async bring(body: IngestBody, headers: Record<string, string> = {}): Promise<IngestResponse> {
    const token = await this.token(body.controller_id);
    return this.edge.data<IngestResponse>('POST', '/v1/messages', { token, body, headers });
  }

  /** A POST of a node, with its id in the body. */
  async act<T>(path: string, body: Record<string, unknown> = {}, nodeId: string = NODE): Promise<T> {
    const token = await this.token(nodeId);
    return this.edge.data<T>('POST', path, { token, body: { controller_id: nodeId, ...body } });
  }

  async result(instructionId: string, more: Record<string, unknown> = {}) {
    return this.act<{ status: string; rest: { status: string; gate: string | null }[]; artifact_url: string | null }>(
      `/v1/instructions/${instructionId}/result`,
      { status: 'succeeded', output: 'ok', duration_ms: 5, truncated: false, ...more },
    );
  }

  async mode(change: 'pause' | 'resume' | 'drain'): Promise<void> {
    await this.edge.data('POST', `/v1/system/${change}`, { body: {} });
  }

  /** NODE is in contact and acquires the lease. */
  async lead(): Promise<void> {
    await this.heard(NODE);
    await this.edge.data('POST', '/v1/leader/acquire', {
      token: await this.token(),
      body: { controller_id: NODE, host: 'mini', ttl_sec: 300 },
    });
  }

  async automation(conversationId: string, change: 'manual' | 'auto' | 'paused' | 'resume'): Promise<void> {
    await this.edge.data('POST', `/v1/renewal/conversations/${conversationId}/${change}`, { body: {} });
  }

  async tick({
    random = 0.5,
    runners = RUNNERS,
  }: {
    random?: number;
    runners?: readonly Runner[];
  } = {}): Promise<TickResponse> {
    await this.stayInContact();
    const request = { trigger: 'manual', scheduledTime: null, now: this.edge.now } as const;
    return await runTick(this.edge.env, request, { runners, random: () => random, log: () => undefined });
  }
}

/** The stored log entries of a tick, as `runner stage result`. */
export async function entriesOf(batchId: string): Promise<string[]> {
  const rows = await rowsOf<{ entries: string }>(
    "SELECT entries FROM ticks WHERE batch_id = ?1 OR entries LIKE '%' || ?1 || '%' ORDER BY tick_seq",
    batchId,
  );
  return rows
    .flatMap((row) => JSON.parse(row.entries) as TickEntry[])
    .map(({ runner, stage, result }) => `${runner} ${stage} ${result}`);
}
