/**
 * What a browser's overlay shows, and when it is sent. A snapshot holds what the edge confirmed: the mode, the
 * conversations open in that browser as last read, and its newest messages and executions. Every change of one of them
 * causes a push; pushes of one event-loop turn are one.
 */
import canonicalize from 'canonicalize';
import type { BridgeSnapshot } from '../../schema/contracts/bridge-frames.ts';
import type { SystemView } from '../edge/system-view.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import type { BrowserClients } from './clients.ts';
import type { Conversations, RemoteConversation } from './conversations.ts';
import type { RecentActivity } from './recent-activity.ts';

export interface SnapshotDeps {
  system: SystemView;
  conversations: Conversations;
  clients: BrowserClients;
  activity: RecentActivity;
  clock: Clock;
}

export class Snapshots {
  /** A snapshot may differ from the one before. */
  readonly changed = new Emitter<void>();
  readonly #deps: SnapshotDeps;
  #cancelChange: (() => void) | null = null;
  #isStopped = false;

  constructor(deps: SnapshotDeps) {
    this.#deps = deps;
    const { system, conversations, clients } = deps;
    system.changed.on(() => this.#touch());
    conversations.changed.on(() => this.#touch());
    clients.changed.on((clientId) => {
      this.#touch();
      void conversations.learn(this.#openConversations(clientId));
    });
    clients.reported.on((clientId) => void conversations.learn(this.#openConversations(clientId)));
  }

  /** A message or an execution has changed; its conversation may be a new one. */
  activityChanged(): void {
    this.#touch();
    for (const { client_id, body } of this.#deps.clients.all()) {
      if (body.connected) void this.#deps.conversations.learn(this.#openConversations(client_id));
    }
  }

  /** Announces no further change: the store that a snapshot reads is about to close. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelChange?.();
  }

  /** The snapshot of one browser. */
  take(clientId: string): BridgeSnapshot {
    const { system, conversations, clients, activity } = this.#deps;
    const { ingests, executes } = activity.read(clientId);
    const open = this.#openConversations(clientId).flatMap((remote) => {
      const found = conversations.find(remote);
      if (found === null) return [];
      const { local_conversation_id, automation_status, pause_reason } = found;
      return [{ ...remote, local_conversation_id, automation_status, pause_reason }];
    });
    const hooks = clients
      .get(clientId)
      .platforms.flatMap(({ platform, hooks }) => hooks.map((hook) => ({ platform, ...hook })));
    return {
      // Until the edge has reported its mode, that of a fresh system is shown.
      system: { mode: system.seen?.mode ?? 'running', version: system.seen?.mode_version ?? 0 },
      conversations: open,
      browser: {
        instruction_ingest: {
          last_ingest: ingests[0] ?? null,
          last_execute: executes[0] ?? null,
          recent_ingests: ingests,
          recent_executes: executes,
        },
        clients: [{ client_id: clientId, request_hooks: hooks }],
      },
    };
  }

  #touch(): void {
    if (this.#isStopped || this.#cancelChange !== null) return;
    this.#cancelChange = this.#deps.clock.after(0, () => {
      this.#cancelChange = null;
      this.changed.emit();
    });
  }

  /** Conversations open in that browser, each once. */
  #openConversations(clientId: string): RemoteConversation[] {
    const seen = new Map<string, RemoteConversation>();
    for (const { platform, remote_conversation_id: conversation_id } of this.#deps.clients.get(clientId).tabs) {
      if (conversation_id !== null) seen.set(`${platform}:${conversation_id}`, { platform, conversation_id });
    }
    return [...seen.values()];
  }
}

/** Equal for snapshots that show the same. */
export function snapshotKey(snapshot: BridgeSnapshot): string | undefined {
  return canonicalize(snapshot);
}
