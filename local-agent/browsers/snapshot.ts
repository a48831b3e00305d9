/**
 * What a browser is shown, and when. A snapshot holds what the edge confirmed: the mode from the channel, the
 * conversations open in that browser as last read, and its newest messages and executions. Whatever changes one
 * of them asks for a push; pushes of one turn are one, and a snapshot that says the same is not sent again.
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
  journal: RecentActivity;
  clock: Clock;
}

export class Snapshots {
  /** Something that a snapshot shows may have changed. */
  readonly changed = new Emitter<void>();
  readonly #deps: SnapshotDeps;
  #pending = false;

  constructor(deps: SnapshotDeps) {
    this.#deps = deps;
    const { system, conversations, clients } = deps;
    system.changed.on(() => this.touch());
    conversations.changed.on(() => this.touch());
    clients.changed.on((clientId) => {
      this.touch();
      void conversations.learn(this.#open(clientId));
    });
    clients.taken.on((clientId) => void conversations.learn(this.#open(clientId)));
  }

  /** The journal has a new row: its conversation may be a new one, too. */
  journalChanged(): void {
    this.touch();
    for (const { client_id, body } of this.#deps.clients.all()) {
      if (body.connected) void this.#deps.conversations.learn(this.#open(client_id));
    }
  }

  touch(): void {
    if (this.#pending) return;
    this.#pending = true;
    this.#deps.clock.after(0, () => {
      this.#pending = false;
      this.changed.emit();
    });
  }

  of(clientId: string): BridgeSnapshot {
    const { system, conversations, clients, journal } = this.#deps;
    const { ingests, executes } = journal.read(clientId);
    const shown = this.#open(clientId).flatMap((remote) => {
      const found = conversations.find(remote);
      if (found === null) return [];
      const { local_conversation_id, automation_status, pause_reason } = found;
      return [{ ...remote, local_conversation_id, automation_status, pause_reason }];
    });
    const hooks = clients
      .of(clientId)
      .platforms.flatMap(({ platform, hooks }) => hooks.map((hook) => ({ platform, ...hook })));
    return {
      // Before the edge has told its mode there is none to show but that of a fresh system.
      system: { mode: system.seen?.mode ?? 'running', version: system.seen?.mode_version ?? 0 },
      conversations: shown,
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

  /** Conversations open in that browser, each once. */
  #open(clientId: string): RemoteConversation[] {
    const seen = new Map<string, RemoteConversation>();
    for (const { platform, remote_conversation_id: conversation_id } of this.#deps.clients.of(clientId).tabs) {
      if (conversation_id !== null) seen.set(`${platform}:${conversation_id}`, { platform, conversation_id });
    }
    return [...seen.values()];
  }
}

/** Two snapshots that show the same have the same text. */
export function snapshotKey(snapshot: BridgeSnapshot): string | undefined {
  return canonicalize(snapshot);
}
