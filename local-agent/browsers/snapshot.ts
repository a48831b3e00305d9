/**
 * What a browser's overlay shows, and when it is sent. A snapshot holds what the edge confirmed: the mode, the
 * conversations open in that browser as last read, the approvals that wait on this node, and the browser's newest messages
 * and executions; and of this node what its deliveries wait for. Every change of one of them causes a push; pushes of one
 * event-loop turn are one.
 */
import canonicalize from 'canonicalize';
import type { z } from 'zod';
import type {
  BridgeSnapshot,
  PaceSchema,
  WaitingApproval,
  WaitingDelivery,
} from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { SystemView } from '../edge/system-view.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import type { BrowserClients } from './clients.ts';
import type { Conversations, KnownConversation, RemoteConversation } from './conversations.ts';
import type { NoticeHoursReader } from './notice-hours.ts';
import { OutlookReader } from './outlook-reader.ts';
import type { RecentActivity } from './recent-activity.ts';
import type { WaitingApprovals } from './waiting-approvals.ts';

/** Conversations in a snapshot. */
const MAX_CONVERSATIONS = 100;
const MAX_WAITING = 8;
/** Approvals in a snapshot, and the characters of what they ask together. The others are counted. */
const MAX_APPROVALS = 20;
const MAX_APPROVAL_CHARS = 256 * 1024;

type Place = { platform: Platform; conversation_id: string | null };
/** What this node's deliveries wait for. Implemented by the delivery manager. */
export interface DeliveryWaits {
  readonly changed: Pick<Emitter<void>, 'on'>;
  waiting(clientId: string): (WaitingDelivery & Place)[];
  paces(clientId: string, platforms: readonly Platform[]): z.infer<typeof PaceSchema>[];
}

export interface SnapshotDeps {
  system: SystemView;
  conversations: Conversations;
  clients: BrowserClients;
  activity: RecentActivity;
  approvals: WaitingApprovals;
  noticeHours: NoticeHoursReader;
  delivery: DeliveryWaits;
  clock: Clock;
  /** Where the status page is. */
  pageOrigin?: string | undefined;
}

export class Snapshots {
  /** A snapshot may differ from the one before. */
  readonly changed = new Emitter<void>();
  readonly #deps: SnapshotDeps;
  readonly #outlooks: OutlookReader;
  #edgeConnected: boolean | null = null;
  #cancelChange: (() => void) | null = null;
  #isStopped = false;

  constructor(deps: SnapshotDeps) {
    this.#deps = deps;
    const { system, conversations, clients, approvals, noticeHours, delivery, clock } = deps;
    this.#outlooks = new OutlookReader({ conversations, clock, open: () => this.#allOpen() });
    for (const source of [approvals, noticeHours]) source.changed.on(() => this.#touch());
    conversations.changed.on(() => {
      this.#touch();
      this.#outlooks.settle();
    });
    for (const source of [system, delivery]) {
      source.changed.on(() => {
        this.#touch();
        this.#outlooks.touch();
      });
    }
    clients.changed.on((clientId) => {
      this.#touch();
      void conversations.learn(this.#openConversations(clientId));
    });
    clients.reported.on((clientId) => void conversations.learn(this.#openConversations(clientId)));
  }

  /** The channel to the edge has opened or closed. */
  edgeConnected(isConnected: boolean): void {
    this.#edgeConnected = isConnected;
    this.#touch();
  }

  /** A message or an execution has changed; its conversation may be a new one. */
  activityChanged(): void {
    this.#touch();
    this.#outlooks.touch();
    for (const { client_id, body } of this.#deps.clients.all()) {
      if (body.connected) void this.#deps.conversations.learn(this.#openConversations(client_id));
    }
  }

  /** Announces no further change: the store that a snapshot reads is about to close. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelChange?.();
    this.#outlooks.stop();
    this.#deps.approvals.stop();
    this.#deps.noticeHours.stop();
  }

  /** The snapshot of one browser. */
  take(clientId: string): BridgeSnapshot {
    const { system, clients, delivery } = this.#deps;
    const { seen } = system;
    const platforms = clients.get(clientId).platforms.map(({ platform }) => platform);
    return {
      // Until the edge has reported its mode, that of a fresh system is shown.
      system: {
        mode: seen?.mode ?? 'running',
        version: seen?.mode_version ?? 0,
        hold: seen?.hold ?? null,
        is_known: seen !== null,
      },
      edge_connected: this.#edgeConnected,
      notice_hours: this.#deps.noticeHours.known,
      notices_waiting: this.#deps.noticeHours.waiting,
      page_origin: this.#deps.pageOrigin ?? null,
      conversations: this.#conversations(clientId),
      browser: this.#activity(clientId),
      ...this.#approvals(),
      policy: { paces: delivery.paces(clientId, platforms) },
    };
  }

  #conversations(clientId: string): BridgeSnapshot['conversations'] {
    const { conversations, delivery } = this.#deps;
    const waiting = delivery.waiting(clientId);
    return this.#openConversations(clientId)
      .slice(0, MAX_CONVERSATIONS)
      .flatMap((remote) => {
        const found = conversations.find(remote);
        if (found === null) return [];
        const { local_conversation_id, automation_status, pause_reason, next_renewal, limits, counters } = found;
        return {
          ...remote,
          local_conversation_id,
          automation_status,
          pause_reason,
          next_renewal: next_renewal ?? null,
          limits: limits ?? null,
          counters: counters ?? null,
          waiting: waiting
            .filter((one) => isIn(one, remote))
            .slice(0, MAX_WAITING)
            .map(withoutPlace),
        };
      });
  }

  #activity(clientId: string): BridgeSnapshot['browser'] {
    const { clients, activity } = this.#deps;
    const { ingests, executes } = activity.read(clientId);
    const hooks = clients
      .get(clientId)
      .platforms.flatMap(({ platform, hooks }) => hooks.map((hook) => ({ platform, ...hook })));
    return {
      instruction_ingest: {
        last_ingest: ingests[0] ?? null,
        last_execute: executes[0] ?? null,
        recent_ingests: ingests,
        recent_executes: executes,
      },
      clients: [{ client_id: clientId, request_hooks: hooks }],
    };
  }

  #approvals(): Pick<BridgeSnapshot, 'approvals' | 'approvals_waiting'> {
    const { approvals, clock } = this.#deps;
    const all = approvals.list();
    const now = clock.now();
    let charsLeft = MAX_APPROVAL_CHARS;
    const listed = all.slice(0, MAX_APPROVALS).map(({ expires_at, display, ...approval }): WaitingApproval => {
      charsLeft -= display.length;
      const shown = charsLeft >= 0 ? display : null;
      return { ...approval, display: shown, expires_in_ms: Math.max(0, expires_at - now) };
    });
    return { approvals: listed, approvals_waiting: all.length };
  }

  #touch(): void {
    if (this.#isStopped || this.#cancelChange !== null) return;
    this.#cancelChange = this.#deps.clock.after(0, () => {
      this.#cancelChange = null;
      this.changed.emit();
    });
  }

  /** Those that connected browsers have open and that the edge knows. */
  #allOpen(): KnownConversation[] {
    const { clients, conversations } = this.#deps;
    const connected = clients.all().filter(({ body }) => body.connected);
    const remotes = connected.flatMap(({ client_id }) => this.#openConversations(client_id));
    const found = remotes.flatMap((remote) => conversations.find(remote) ?? []);
    return [...new Map(found.map((one) => [one.local_conversation_id, one])).values()];
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

function isIn(place: Place, { platform, conversation_id }: RemoteConversation): boolean {
  return place.platform === platform && place.conversation_id === conversation_id;
}

function withoutPlace({ kind, reason, until, attempt }: WaitingDelivery): WaitingDelivery {
  return { kind, reason, until, attempt };
}

/** Equal for snapshots that show the same. The time left to decide passes by itself and is no change. */
export function snapshotKey({ approvals, ...snapshot }: BridgeSnapshot): string | undefined {
  return canonicalize({ ...snapshot, approvals: approvals.map(({ expires_in_ms, ...approval }) => approval) });
}
