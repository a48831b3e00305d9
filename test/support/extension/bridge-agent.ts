/**
 * The agent's real bridge on a real port and a real store, with an edge that is out of reach: what the extension sends is
 * recorded as it arrives. It can be killed and started again on the same port.
 */
import { join } from 'node:path';
import { buildBridgeSide, buildBrowserSide } from '../../../local-agent/agent.ts';
import { EdgeError } from '../../../local-agent/edge/http-client.ts';
import { SystemView } from '../../../local-agent/edge/system-view.ts';
import { systemClock } from '../../../local-agent/lib/clock.ts';
import { Emitter } from '../../../local-agent/lib/emitter.ts';
import { sha256Hex } from '../../../local-agent/lib/hash.ts';
import type { Store } from '../../../local-agent/store/store.ts';
import { openStore } from '../../../local-agent/store/store.ts';
import type { FinalMessage } from '../../../schema/contracts/bridge-frames.ts';
import type { ErrorCode } from '../../../schema/errors.ts';
import { AppError } from '../../../schema/errors.ts';
import { BridgeWire } from '../sites/bridge-wire.ts';
import { until } from '../until.ts';

export const CLIENT = { client_id: 'firefox-capture', token: 'the-token-of-firefox-capture' } as const;

interface Running {
  store: Store;
  side: ReturnType<typeof buildBrowserSide>;
  stop: () => Promise<void>;
  url: string;
}

export class BridgeAgent {
  /** Every final message that was stored, oldest first. */
  readonly messages: FinalMessage[] = [];
  /** Each of them, at the moment it is stored. */
  readonly stored = new Emitter<FinalMessage>();
  readonly #folder: string;
  readonly #origin: string;
  #running: Running | null = null;
  /** A message is refused for good with this code. */
  refusal: ErrorCode | null = null;
  #port = 0;
  /** What leaves the browser is searched, where Firefox was started with it. */
  readonly wire = new BridgeWire(() => this.#running?.url ?? null);

  constructor(folder: string, origin: string) {
    this.#folder = folder;
    this.#origin = origin;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get side(): ReturnType<typeof buildBrowserSide> {
    if (this.#running === null) throw new Error('the agent does not run');
    return this.#running.side;
  }

  async start(): Promise<void> {
    const store = openStore(join(this.#folder, 'agent.sqlite'), { now: Date.now, newOutboxId: () => 'box' });
    store.pairings.put({
      client_id: CLIENT.client_id,
      origin: this.#origin,
      token_hash: sha256Hex(CLIENT.token),
      created_at: Date.now(),
    });
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const call = async () => {
      throw new EdgeError('status', 404, 'not_found', 'this edge knows nothing');
    };
    const deps = {
      store,
      nodeId: 'node-capture',
      edge: { call },
      system: new SystemView(),
      clock: systemClock,
      random: Math.random,
      log,
      activityLimit: 20,
    };
    const side = buildBrowserSide(deps);
    const { bridge, openLocalApi } = buildBridgeSide(side, {
      ...deps,
      messages: { prepare: (frame) => this.#prepare(frame) },
      sharedToken: 'the-token-of-the-node',
      status: () => ({ state: 'leader' }),
      env: {},
    });
    const api = await openLocalApi(`http://127.0.0.1:${this.#port}`);
    this.#port = Number(new URL(api.url).port);
    side.delivery.start();
    const stop = async () => {
      side.delivery.stop();
      bridge.stop();
      await api.close();
      store.close();
    };
    this.#running = { store, side, stop, url: api.url };
    await this.wire.open();
  }

  #store(frame: FinalMessage): void {
    this.messages.push(frame);
    this.stored.emit(frame);
  }

  #prepare(frame: FinalMessage): () => void {
    if (this.refusal !== null) throw new AppError(this.refusal, 'the agent does not take it');
    return () => this.#store(frame);
  }

  /** @throws Error when the browser has sent a secret of a site */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running !== null) await this.wire.close();
    this.#running = null;
    await running?.stop();
    if (this.wire.frames.length > 0) this.wire.expectNoSecret();
  }

  /** Resolves when the browser is connected and has reported its state. */
  async connected(): Promise<void> {
    await until(() => this.side.connected.all().length > 0);
  }

  /** Resolves with that many messages. */
  async received(count: number): Promise<FinalMessage[]> {
    await until(() => this.messages.length >= count);
    return this.messages;
  }
}
