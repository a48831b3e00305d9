/**
 * A delivery manager over a real store in a temporary folder, with recorded frames and a test clock. It has no socket and
 * no TestBrowser: the tests look at single moments, between which nothing asynchronous may happen.
 */
import { join } from 'node:path';
import { ConversationReader } from '../../../../local-agent/browsers/conversation-reader.ts';
import type { OutgoingMessage } from '../../../../local-agent/delivery/deliveries.ts';
import { DeliveryManager } from '../../../../local-agent/delivery/manager.ts';
import type { CommandOf } from '../../../../local-agent/edge/commands.ts';
import { takeCommand } from '../../../../local-agent/edge/commands.ts';
import type { Store } from '../../../../local-agent/store/store.ts';
import type {
  ActionResult,
  AgentBridgeFrame,
  ProxyDelivery,
  ReadCurrent,
} from '../../../../schema/contracts/bridge-frames.ts';
import type { Command, DeliveryCommandBody, Receipt } from '../../../../schema/contracts/commands.ts';
import { newId } from '../../../../schema/ids.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { commandHandlers } from '../../../support/command-handlers.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { actionResult } from '../../../support/test-browser.ts';
import { TestClock } from '../../../support/test-clock.ts';

/** Everything of one agent process; `restart` opens the same file again, as after a kill. */
export class DeliveryFixture {
  readonly clock = new TestClock();
  readonly connected = new Set(['firefox-1']);
  readonly frames: AgentBridgeFrame[] = [];
  /** Changes of the pacing, as the reports of browsers get them. */
  readonly changes: { clientId: string; urgent: boolean }[] = [];
  readonly #path = join(tempDir(), 'agent.sqlite');
  store: Store;
  manager: DeliveryManager;

  constructor() {
    this.store = openTestStore(this.clock, this.#path);
    this.manager = this.#start();
  }

  get sent(): ProxyDelivery[] {
    return this.frames.filter((frame) => frame.type === 'browser.proxy_delivery');
  }

  get readings(): ReadCurrent[] {
    return this.frames.filter((frame) => frame.type === 'browser.read_current');
  }

  restart(): void {
    this.clock.dropTimers();
    this.store.close();
    this.store = openTestStore(this.clock, this.#path);
    this.manager = this.#start();
    this.clock.advance(0);
  }

  /** Queues replies in one transaction. */
  enqueue(...replies: OutgoingMessage[]): void {
    this.store.transaction(() => {
      for (const item of replies) this.manager.enqueueReply(item);
    });
    this.clock.advance(0);
  }

  connect(clientId: string): void {
    this.connected.add(clientId);
    this.manager.onConnected();
    this.clock.advance(0);
  }

  command(body: DeliveryCommandBody): Receipt & { command_id: string } {
    return this.take({ command_id: newId('command', this.clock.now()), expires_in_ms: 1, kind: 'delivery', body });
  }

  notice(body: CommandOf<'task.notice'>['body']): Receipt & { command_id: string } {
    return this.take({ command_id: newId('command', this.clock.now()), expires_in_ms: 1, kind: 'task.notice', body });
  }

  /** The immediate result of a query for a plan. */
  query(planId: string): unknown {
    return this.result(this.startQuery(planId));
  }

  /** Queries a plan; returns the command's id. */
  startQuery(planId: string): string {
    const command_id = newId('command', this.clock.now());
    const body = { job_id: 'job_1', attempt: 1, plan_id: planId, command_id };
    this.take({ command_id, expires_in_ms: 1, kind: 'delivery.query', body });
    return command_id;
  }

  result(commandId: string): unknown {
    return this.store.seenCommands.find(commandId)?.result;
  }

  /** The browser's result of the newest delivery, or of the one given: delivered, but for the change. */
  respond(change: Partial<ActionResult> = {}, asked: ProxyDelivery | ReadCurrent | undefined = this.sent.at(-1)): void {
    if (!asked) throw new Error('nothing was sent');
    this.manager.onActionResult(asked.client_id, actionResult(asked, change));
    this.clock.advance(0);
  }

  /** Path, stream and body of every outbox row of that kind, oldest first. */
  reported(kind: string): { path: string; stream: string; body: unknown }[] {
    return this.store.db
      .prepare('SELECT path, stream, body FROM outbox WHERE kind = ? ORDER BY id')
      .all(kind)
      .map((row) => ({ path: String(row.path), stream: String(row.stream), body: JSON.parse(String(row.body)) }));
  }

  take(command: Command): Receipt {
    const receipt = takeCommand(this.store, commandHandlers(this.manager.commands), command, this.clock.now());
    this.clock.advance(0);
    return receipt;
  }

  #start(): DeliveryManager {
    const { clock, store, connected } = this;
    const browsers = {
      isConnected: (clientId: string) => connected.has(clientId),
      send: (clientId: string, frame: AgentBridgeFrame) => {
        if (!connected.has(clientId)) return false;
        this.frames.push(frame);
        return true;
      },
    };
    const newRequestId = () => newId('request', clock.now());
    const manager = new DeliveryManager({
      store,
      nodeId: 'node-a',
      clock,
      random: () => 0.5,
      newRequestId,
      log: { info: () => undefined },
      browsers,
      reader: new ConversationReader({ browsers, clock, newRequestId }),
    });
    manager.pacing.changed.on((change) => this.changes.push(change));
    manager.start();
    return manager;
  }
}
