/**
 * Reads again what the edge reports as changed, and after a reconnect what may have changed meanwhile. A failed read is
 * not repeated here: the next notice, response or reconnect leads to another.
 */
import type { Logger } from 'pino';
import { InstructionSchema } from '../schema/contracts/instructions.ts';
import type { TokenWatch } from './bridge/token-watch.ts';
import type { Conversations } from './browsers/conversations.ts';
import type { NoticeHoursReader } from './browsers/notice-hours.ts';
import type { WaitingApprovals } from './browsers/waiting-approvals.ts';
import type { EdgeClient } from './edge/http-client.ts';
import type { Instructions } from './instructions/instructions.ts';
import type { ChangedNotice } from './node/node-runtime.ts';

export interface EdgeChangesDeps {
  client: EdgeClient;
  conversations: Conversations;
  approvals: Pick<WaitingApprovals, 'refresh' | 'list'>;
  noticeHours: Pick<NoticeHoursReader, 'refresh'>;
  tokens: Pick<TokenWatch, 'check' | 'checkAll'>;
  instructions: Instructions;
  log: Pick<Logger, 'warn'>;
}

export class EdgeChanges {
  readonly #deps: EdgeChangesDeps;

  constructor(deps: EdgeChangesDeps) {
    this.#deps = deps;
  }

  async onNotice({ topic, ids }: Pick<ChangedNotice, 'topic' | 'ids'>): Promise<void> {
    if (topic === 'conversations') await this.#deps.conversations.reread(ids);
    if (topic === 'tokens') await Promise.all(ids.map((clientId) => this.#deps.tokens.check(clientId)));
    if (topic !== 'instructions' && topic !== 'approvals') return;
    const { approvals } = this.#deps;
    const isAsked = approvals.list().some(({ instruction_id }) => ids.includes(instruction_id));
    const reading = topic === 'approvals' || isAsked ? approvals.refresh() : undefined;
    await Promise.all([reading, this.#readInstructions(ids)]);
  }

  /** The channel is open again. */
  async readMissed(): Promise<void> {
    const { tokens, conversations, approvals, noticeHours, instructions } = this.#deps;
    await Promise.all([
      tokens.checkAll(),
      conversations.resync(),
      approvals.refresh(),
      noticeHours.refresh(),
      this.#readInstructions(instructions.awaited()),
    ]);
  }

  async #readInstructions(ids: readonly string[]): Promise<void> {
    const { client, instructions, log } = this.#deps;
    const read = (id: string) =>
      client.call({ method: 'GET', path: `/v1/instructions/${encodeURIComponent(id)}`, schema: InstructionSchema });
    try {
      instructions.observe(await Promise.all(ids.map(read)));
    } catch (error) {
      log.warn({ error }, 'instructions that have changed at the edge could not be read');
    }
  }
}
