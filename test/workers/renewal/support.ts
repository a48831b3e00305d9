/** A conversation on its way to a renewal: settled message, `auto`, a leader; and the node's side of a delivery. */
import type { z } from 'zod';
import type { PlatformState } from '../../../schema/contracts/clients.ts';
import type { Command } from '../../../schema/contracts/commands.ts';
import type { ConversationDetailSchema } from '../../../schema/contracts/conversations.ts';
import type { RenewalJob } from '../../../schema/contracts/renewal.ts';
import type { RenewalSettingsPatch } from '../../../schema/contracts/renewal-settings.ts';
import { renewalProjector } from '../../../workers/renewal/projector.job.ts';
import { Conductor, OTHER_NODE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';

const SETTLE_MS = 10_000;

export class Renewals extends Conductor {
  #conversations = 0;

  /** A settled message in a new conversation, set to `auto` by default. */
  async settled(change: 'manual' | 'auto' | 'paused' = 'auto', more: Parameters<Conductor['message']>[0] = {}) {
    this.#conversations += 1;
    const remote_conversation_id = `renewal-${this.#conversations}`;
    const response = await this.bring(this.message({ remote_conversation_id, ...more }));
    if (change !== 'manual') await this.automation(response.local_conversation_id, change);
    this.edge.now += SETTLE_MS;
    return { ...response, remote_conversation_id };
  }

  /** A tick that makes jobs and sends none. */
  project() {
    return this.tick({ runners: [renewalProjector] });
  }

  /** A job that has been sent, with the command that asks for it. */
  async sent() {
    const message = await this.settled();
    await this.tick();
    const job = await this.jobOf(message.message_id);
    return { ...message, job, command: await this.commandOf(job) };
  }

  async jobOf(messageId: string): Promise<RenewalJob> {
    const { items } = await this.edge.data<{ items: RenewalJob[] }>('GET', `/v1/renewal/jobs?message_id=${messageId}`);
    const [job] = items;
    if (job === undefined) throw new Error(`no job of ${messageId}`);
    return job;
  }

  /** The newest command about that job that its node finds. */
  async commandOf(job: RenewalJob, nodeId: string = NODE): Promise<Command> {
    const { items } = await this.edge.data<{ items: Command[] }>(
      'GET',
      `/v1/controllers/${nodeId}/commands?limit=200`,
      { token: await this.token(nodeId) },
    );
    const command = items.filter(({ body }) => 'job_id' in body && body.job_id === job.job_id).at(-1);
    if (command === undefined) throw new Error(`no command for ${job.job_id}`);
    return command;
  }

  respond({ command_id }: Pick<Command, 'command_id'>, outcome: string, more: Record<string, unknown> = {}) {
    const result =
      outcome === 'unknown' || outcome === 'in_flight' ? { outcome } : { outcome, reason: null, method: null, ...more };
    return this.act<{ status: string }>(`/v1/commands/${command_id}/result`, { result });
  }

  /** What a browser has: one platform with that state, and those tabs; a tab of that conversation when named. */
  async browser(
    {
      node = NODE,
      client = 'firefox-1',
      conversation,
      tab_id = 17,
      account,
    }: { node?: string; client?: string; conversation?: string; tab_id?: number; account?: string },
    state: Partial<PlatformState> = {},
  ): Promise<void> {
    const { link } = this.message(conversation === undefined ? {} : { remote_conversation_id: conversation });
    const known = { platform: 'chatgpt', login: 'fresh', fingerprint: null, hooks: [], stopped_reason: null };
    const body = {
      connected: true,
      platforms: [{ ...known, ...state }],
      tabs: conversation === undefined ? [] : [{ ...link, tab_id, platform: 'chatgpt', account_fingerprint: account }],
    };
    await this.edge.data('PUT', `/v1/controllers/${node}/clients/${client}`, { token: await this.token(node), body });
  }

  /** The next answer of the assistant in a conversation, settled. */
  async answered(remote_conversation_id: string, more: Parameters<Conductor['message']>[0] = {}) {
    const message = await this.bring(this.message({ remote_conversation_id, ...more }));
    this.edge.now += SETTLE_MS;
    return message;
  }

  /** The assistant answers, the answer is renewed, and the renewal is delivered. */
  async renewed(remote_conversation_id: string, more: Parameters<Conductor['message']>[0] = {}) {
    const { message_id } = await this.answered(remote_conversation_id, more);
    await this.tick();
    await this.deliver(message_id);
    return message_id;
  }

  async deliver(messageId: string): Promise<void> {
    await this.respond(await this.commandOf(await this.jobOf(messageId)), 'delivered');
  }

  limits(scope: { platform?: string; local_conversation_id?: string }, settings: RenewalSettingsPatch) {
    return this.edge.data('PUT', '/v1/renewal/settings', { body: { ...scope, settings } });
  }

  detail(conversationId: string): Promise<z.infer<typeof ConversationDetailSchema>> {
    return this.edge.data('GET', `/v1/renewal/conversations/${conversationId}`);
  }

  async next(conversationId: string) {
    return (await this.detail(conversationId)).next_renewal;
  }

  async skipReason(messageId: string): Promise<string | null | undefined> {
    const rows = await rowsOf<{ skip_reason: string | null }>(
      'SELECT skip_reason FROM messages WHERE message_id = ?',
      messageId,
    );
    return rows[0]?.skip_reason;
  }
}

export { OTHER_NODE };
