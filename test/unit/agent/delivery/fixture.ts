/** A delivery manager over a real store in a temporary folder, with recorded browsers and a clock moved by hand. */
import { join } from 'node:path';
import { DeliveryManager } from '../../../../local-agent/delivery/manager.ts';
import type { Reply } from '../../../../local-agent/delivery/replies.ts';
import { takeCommand } from '../../../../local-agent/edge/commands.ts';
import type { Store } from '../../../../local-agent/store/store.ts';
import type { ActionResult, ProxyDelivery, ReadCurrent } from '../../../../schema/contracts/bridge-frames.ts';
import type { Command, DeliveryCommandBody, Receipt } from '../../../../schema/contracts/commands.ts';
import type { TargetPayload } from '../../../../schema/contracts/conversations.ts';
import { newId } from '../../../../schema/ids.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { commandHandlers } from '../../../support/command-handlers.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';

type Frame = ProxyDelivery | ReadCurrent | { type: 'browser.cancel'; request_id: string };

export function target(conversationId = 'c1', clientId = 'firefox-1'): TargetPayload {
  return {
    client_id: clientId,
    conversation_id: conversationId,
    page_url: `https://chatgpt.com/c/${conversationId}`,
    page_title: null,
    tab_id: 17,
    shell_page: false,
  };
}

export function reply(messageId: string, conversationId = 'c1', clientId = 'firefox-1'): Reply {
  return {
    plan_id: `reply:${messageId}`,
    subject_id: messageId,
    platform: 'chatgpt',
    client_id: clientId,
    conversation_id: conversationId,
    target: target(conversationId, clientId),
    message_text: `reply to ${messageId}`,
    assistant_message_id: null,
    timeout_ms: 20_000,
  };
}

export function renewal(planId: string, conversationId = 'c1', clientId = 'firefox-1'): DeliveryCommandBody {
  return {
    job_id: 'job_1',
    attempt: 1,
    plan_id: planId,
    platform: 'chatgpt',
    target: target(conversationId, clientId),
    message_text: 'carry on',
    assistant_message_id: null,
    timeout_ms: 20_000,
  };
}

/** Everything of one agent process; `restart` opens the same file again, as after a kill. */
export class DeliveryFixture {
  readonly clock = new ManualClock();
  readonly connected = new Set(['firefox-1']);
  readonly frames: Frame[] = [];
  /** What the edge would be told of the pacing. */
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

  restart(): void {
    this.clock.dropTimers();
    this.store.close();
    this.store = openTestStore(this.clock, this.#path);
    this.manager = this.#start();
    this.clock.advance(0);
  }

  enqueue(...replies: Reply[]): void {
    this.store.transaction(() => {
      for (const item of replies) this.manager.enqueue(item);
    });
    this.clock.advance(0);
  }

  command(body: DeliveryCommandBody): Receipt & { command_id: string } {
    return this.take({ command_id: newId('command', this.clock.now()), expires_in_ms: 1, kind: 'delivery', body });
  }

  /** What is known of a plan at once. */
  query(planId: string): unknown {
    return this.result(this.ask(planId));
  }

  /** Asks what became of a plan; the command's id. */
  ask(planId: string): string {
    const command_id = newId('command', this.clock.now());
    const body = { job_id: 'job_1', attempt: 1, plan_id: planId, command_id };
    this.take({ command_id, expires_in_ms: 1, kind: 'delivery.query', body });
    return command_id;
  }

  result(commandId: string): unknown {
    return this.store.seenCommands.find(commandId)?.result;
  }

  /** Answers the newest delivery that was sent (or the one given): delivered, unless changed. */
  answer(change: Partial<ActionResult> = {}, delivery = this.sent.at(-1)): void {
    if (!delivery) throw new Error('nothing was sent');
    this.answerTo(delivery, change);
  }

  answerTo(asked: ProxyDelivery | ReadCurrent, change: Partial<ActionResult> = {}): void {
    this.manager.onActionResult(asked.client_id, {
      type: 'browser.action_result',
      request_id: asked.request_id,
      action: asked.type,
      accepted: true,
      completed: true,
      failed: false,
      reason: null,
      downstream: { method: 'replay', http_status: 200, seen_in_page: false, duration_ms: 5 },
      ...change,
    });
    this.clock.advance(0);
  }

  /** What the edge will be told: path and body of every outbox row of that kind, oldest first. */
  told(kind: string): { path: string; stream: string; body: unknown }[] {
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
    const manager = new DeliveryManager({
      store: this.store,
      nodeId: 'node-a',
      clock: this.clock,
      random: () => 0.5,
      newRequestId: () => newId('request', this.clock.now()),
      log: { info: () => undefined, warn: () => undefined },
      onPacingChange: (clientId, urgent) => this.changes.push({ clientId, urgent }),
      sessions: {
        isConnected: (clientId) => this.connected.has(clientId),
        send: (clientId, frame) => {
          if (!this.connected.has(clientId)) return false;
          this.frames.push(frame);
          return true;
        },
      },
    });
    manager.start();
    return manager;
  }
}
