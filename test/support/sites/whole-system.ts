/**
 * The whole path: the edge and an agent in processes of their own, a real Firefox with the built extension, paired, and
 * fake chat sites. A test speaks as a person in the pages, and looks at the edge, the host and what the sites received.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { extensionFiles } from '../../../extension/build/files.ts';
import type { ManifestVersion } from '../../../extension/build/manifest.ts';
import { EXTENSION_ID } from '../../../extension/build/manifest.ts';
import { SITES } from '../../../extension/sites/registry.ts';
import { EdgeApi, eventually } from '../../../local-agent/stack/edge-api.ts';
import { REPOSITORY } from '../../../local-agent/stack/layout.ts';
import type { Stack } from '../../../local-agent/stack/stack.ts';
import { startStack } from '../../../local-agent/stack/stack.ts';
import { BrowserSendResponseSchema } from '../../../schema/contracts/browser.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import { envelopeOf, pageOf } from '../../../schema/contracts/common.ts';
import type { Conversation } from '../../../schema/contracts/conversations.ts';
import { ConversationSchema } from '../../../schema/contracts/conversations.ts';
import type { SystemEvent } from '../../../schema/contracts/events.ts';
import { EventSchema } from '../../../schema/contracts/events.ts';
import type { Instruction, Message, MessageSummary } from '../../../schema/contracts/instructions.ts';
import { InstructionSchema, MessageSchema, MessageSummarySchema } from '../../../schema/contracts/instructions.ts';
import type { RenewalJob } from '../../../schema/contracts/renewal.ts';
import { RenewalJobSchema } from '../../../schema/contracts/renewal.ts';
import { TokenCreatedSchema } from '../../../schema/contracts/tokens.ts';
import { BridgeWire } from './bridge-wire.ts';
import { Firefox } from './open-firefox.ts';
import { SitesServer } from './server.ts';
import type { FakeSite } from './site.ts';

const WAIT_MS = 120_000;
/** A delivery may wait for its page for a minute before it fails. */
const OUTCOME_MS = 150_000;
const UUID = '6f1c2f0e-1111-4222-8333-944455556666';
const CLIENT_ID = 'firefox-whole';
const SETTLE_MS = 500;

/** What the host permits in most tests: files below its workspace, and one program. */
const POLICY = {
  exec: { default: 'deny', rules: [{ match: { argv: ['echo', '*'] }, decision: 'allow' }], shell: 'deny' },
  tools: { 'files/write': 'allow', 'files/read': 'allow' },
};

export interface WholeOptions {
  sites: readonly FakeSite[];
  manifest?: ManifestVersion;
  preferences?: Record<string, string | number | boolean>;
  /** What the host permits. */
  policy?: object;
  /** Further variables of the Worker. */
  vars?: Record<string, string>;
}

export class WholeSystem {
  readonly stack: Stack;
  readonly api: EdgeApi;
  readonly server: SitesServer;
  readonly firefox: Firefox;
  readonly wire: BridgeWire;
  readonly #root: string;

  private constructor(root: string, stack: Stack, server: SitesServer, firefox: Firefox, wire: BridgeWire) {
    this.#root = root;
    this.stack = stack;
    this.server = server;
    this.firefox = firefox;
    this.wire = wire;
    this.api = new EdgeApi(stack.edgeUrl, operatorOf(stack));
  }

  static async start(options: WholeOptions): Promise<WholeSystem> {
    const { sites, manifest = 2, preferences = {}, policy = POLICY, vars = {} } = options;
    const root = mkdtempSync(join(tmpdir(), 'conductor-whole-'));
    writeFileSync(join(root, 'policy.json'), JSON.stringify(policy), { mode: 0o600 });
    const stack = await startStack(
      {
        root,
        port: 0,
        agentPort: 0,
        nodeId: 'whole-main',
        host: 'localhost',
        agent: true,
        vars: { BAA_TIMED_JOBS_SETTLE_DELAY_MS: String(SETTLE_MS), ...vars },
      },
      () => undefined,
    );
    const server = await SitesServer.start(sites);
    const wire = new BridgeWire(() => stack.agentUrl);
    await wire.open();
    const firefox = await Firefox.start({
      port: server.port,
      wire,
      preferences: { 'extensions.webextensions.uuids': JSON.stringify({ [EXTENSION_ID]: UUID }), ...preferences },
    });
    const system = new WholeSystem(root, stack, server, firefox, wire);
    try {
      await system.#install(manifest);
      return system;
    } catch (error) {
      await system.stop();
      throw error;
    }
  }

  /** A file of the host's workspace. */
  workspace(path: string): string {
    return join(this.#root, 'workspace', path);
  }

  async stop(): Promise<void> {
    await this.firefox.close();
    await this.wire.close();
    await this.server.stop();
    await this.stack.stop();
    rmSync(this.#root, { recursive: true, force: true });
    if (this.server.errors.length > 0) throw new AggregateError(this.server.errors, 'a fake site failed');
    this.wire.expectNoSecret();
  }

  async post(path: string, body: object = {}): Promise<unknown> {
    const response = await fetch(`${this.stack.edgeUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorOf(this.stack)}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const json: unknown = await response.json();
    if (!response.ok) throw new Error(`POST ${path} failed with ${response.status}: ${JSON.stringify(json)}`);
    return envelopeOf(z.unknown()).parse(json).data;
  }

  /** The conversation with that id on its site, once the edge knows it. */
  conversation(platform: Platform, remoteId: string): Promise<Conversation> {
    return eventually(`the conversation ${remoteId}`, WAIT_MS, async () => {
      const path = `/v1/renewal/conversations?platform=${platform}&remote_conversation_id=${remoteId}`;
      const { items } = await this.api.get(path, pageOf(ConversationSchema));
      return items.find((one) => one.remote_conversation_id === remoteId) ?? null;
    });
  }

  /** The messages of the assistant that the edge has of a conversation, oldest first. */
  async messagesOf(remoteId: string): Promise<MessageSummary[]> {
    const { items } = await this.api.get('/v1/messages?limit=200', pageOf(MessageSummarySchema));
    return items.filter((one) => one.remote_conversation_id === remoteId).toReversed();
  }

  /** The nth message of the assistant in a conversation, with its text, once it is stored. */
  message(remoteId: string, nth = 1): Promise<Message> {
    return eventually(`message ${nth} of ${remoteId}`, WAIT_MS, async () => {
      const found = (await this.messagesOf(remoteId))[nth - 1];
      return found ? await this.api.get(`/v1/messages/${found.message_id}`, MessageSchema) : null;
    });
  }

  /** Sends a prompt into a chat, and waits for its outcome. */
  async prompt(
    platform: Platform,
    prompt: string,
    conversation?: string,
  ): Promise<{ status: string; error: string | null }> {
    const body = { prompt, ...(conversation !== undefined && { conversation_id: conversation }) };
    const sent = BrowserSendResponseSchema.parse(await this.post(`/v1/browser/${platform}/send`, body));
    const { data } = await eventually(`the outcome of ${sent.command_id}`, OUTCOME_MS, async () => {
      const events = await this.#clientEvents();
      return events.find(({ type, subject_id }) => type === 'sent' && subject_id === sent.command_id) ?? null;
    });
    return { status: String(data.status), error: data.error_code === null ? null : String(data.error_code) };
  }

  async instructions(messageId: string): Promise<Instruction[]> {
    const path = `/v1/instructions?message_id=${messageId}`;
    return (await this.api.get(path, pageOf(InstructionSchema))).items;
  }

  /** The renewal of a message, in a state that meets the condition. */
  renewal(messageId: string, isReached: (job: RenewalJob) => boolean): Promise<RenewalJob> {
    return eventually(`the renewal of ${messageId}`, WAIT_MS, async () => {
      const path = `/v1/renewal/jobs?message_id=${messageId}`;
      return (await this.api.get(path, pageOf(RenewalJobSchema))).items.find(isReached) ?? null;
    });
  }

  /** As a person, lets the browser work again after a site has stopped it. */
  async resume(): Promise<void> {
    await this.post(`/v1/browser/clients/${CLIENT_ID}/resume`);
  }

  /** Waits until `look` gives something. */
  eventually<T>(what: string, look: () => T | null | Promise<T | null>): Promise<T> {
    return eventually(what, WAIT_MS, async () => await look());
  }

  async #clientEvents(): Promise<SystemEvent[]> {
    const response = await fetch(`${this.stack.edgeUrl}/v1/events?topics=clients&last_event_id=0&wait_ms=0`, {
      headers: { authorization: `Bearer ${operatorOf(this.stack)}` },
    });
    const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: {'));
    return lines.map((line) => EventSchema.parse(JSON.parse(line.slice('data: '.length))));
  }

  async #install(manifest: ManifestVersion): Promise<void> {
    const token = await this.#pair();
    const folder = join(this.#root, 'extension');
    const source = resolve(REPOSITORY, 'extension');
    const files = await extensionFiles(manifest, { source, version: '0.0.1', sites: SITES });
    const provision = { agent_url: this.stack.agentUrl, client_id: CLIENT_ID, token, headless: true };
    files.set('provision.json', new TextEncoder().encode(JSON.stringify(provision)));
    for (const [path, contents] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), contents);
    }
    await this.firefox.install(folder);
    const connected = z.looseObject({ clients: z.array(z.looseObject({ client_id: z.string() })) });
    await eventually('the extension to connect', WAIT_MS, async () => {
      const { clients } = connected.parse(await this.#local('/v1/browser'));
      return clients.some((client) => client.client_id === CLIENT_ID) || null;
    });
  }

  async #pair(): Promise<string> {
    const created = await this.post('/v1/tokens', { role: 'browser_admin', subject: CLIENT_ID });
    const { token } = TokenCreatedSchema.parse(created);
    const pin = { origin: `moz-extension://${UUID}`, client_id: CLIENT_ID, token };
    // The agent asks the edge about the token, and does not wait long on a busy machine.
    await eventually('the pairing', WAIT_MS, () => this.#local('/v1/pairings', pin).catch(() => null));
    return token;
  }

  /** The agent's own API. */
  async #local(path: string, body?: object): Promise<unknown> {
    const token = readFileSync(this.stack.layout.nodeTokenFile, 'utf8').trim();
    const response = await fetch(`${this.stack.agentUrl}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return envelopeOf(z.unknown()).parse(await response.json()).data;
  }
}

function operatorOf(stack: Stack): string {
  return readFileSync(stack.layout.operatorFile, 'utf8').trim();
}
