/**
 * The background page: it connects its parts. All listeners are registered before the first `await`, as an event page
 * requires; every part finds in storage what an earlier background page has left.
 */
import type { AgentBridgeFrame } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { STORAGE_KEYS } from '../lib/storage.ts';
import { startCapture } from './capture/capture.ts';
import { composeDeliveries } from './compose-deliveries.ts';
import { composePeople } from './compose-people.ts';
import { composeRecovery } from './compose-recovery.ts';
import type { BackgroundEnv } from './env.ts';
import type { LoginPlace } from './logins/logins.ts';
import { DEFAULT_CONTAINER, placeOf } from './logins/logins.ts';
import type { Parts } from './parts.ts';
import { buildParts } from './parts.ts';
import { reportAnsweredSends } from './tabs/answered-sends.ts';
import { reportLimitDrift } from './tabs/limit-drift.ts';
import { reportMissingDrift } from './tabs/missing-drift.ts';
import { readNotice } from './tabs/page-notices.ts';
import type { TrafficEvent } from './traffic.ts';

const LOOK_MS = 5_000;

function onFrame({ queue, clientState }: Parts, frame: AgentBridgeFrame): void {
  switch (frame.type) {
    case 'hello_ack':
      clientState.now();
      queue.sendAll();
      break;
    case 'message_ack':
      queue.acknowledged(frame.request_id);
      break;
    case 'message_nack':
      queue.refused(frame.request_id, frame.code);
      break;
    case 'error':
      if (frame.re !== null) queue.failed(frame.re, frame.code);
      break;
    default:
      break;
  }
}

/** Compares what pages show with what their sites have sent. */
function reportPageDrift({ env, diagnostics, pages, tabs, traffic }: Parts): void {
  const deps = {
    traffic,
    look: (tabId: number) => pages.call(tabId, 'look', {}, LOOK_MS),
    clock: env.clock,
    report: (platform: Platform, what: string) => diagnostics.report(platform, what),
  };
  reportLimitDrift(deps);
  const platformOf = (url: string) => tabs.siteOf(url)?.platform ?? null;
  reportMissingDrift({ ...deps, looks: tabs.looked, platformOf });
}

/** Where the login is that a request of a page was made with. */
function placeOfTraffic({ tabs }: Pick<Parts, 'tabs'>, { platform, tabId, container }: TrafficEvent): LoginPlace {
  const tab = tabs.get(tabId);
  const site = tabs.siteOf(tab?.url);
  if (tab === null || site === null) return { platform, container: container ?? DEFAULT_CONTAINER };
  return placeOf(site, tab.url, container ?? tab.container);
}

/** Registers every listener. */
function listen(parts: Parts): void {
  const { env, bridge, clientState, logins, queue, tabs, traffic, turns } = parts;
  const onTraffic = (event: TrafficEvent) => {
    if (!parts.isOn(event.platform)) return;
    turns.onTraffic(event);
    logins.onTraffic(event, placeOfTraffic(parts, event));
    clientState.onTraffic(event);
  };
  traffic.on(onTraffic);
  startCapture({ ...env, emit: (event) => traffic.emit(event) });
  reportAnsweredSends({ traffic, finals: parts.queue.added, pages: parts.pages });
  reportPageDrift(parts);
  tabs.listen();
  bridge.frames.on((frame) => onFrame(parts, frame));
  env.onMessage((message, sender) => {
    const notice = readNotice(message, sender, { extensionId: env.extensionId, tabs });
    const platform = notice === null ? undefined : tabs.siteOf(notice.look.url)?.platform;
    if (notice === null || platform === undefined) return undefined;
    const known = tabs.get(notice.tabId)?.look?.drift ?? [];
    for (const what of notice.look.drift) {
      if (!known.includes(what)) parts.diagnostics.report(platform, `drift: page: ${what}`);
    }
    tabs.onLook(notice.tabId, notice.look, notice.container);
    turns.onPage(platform, notice.tabId, notice.look);
    const place = tabs.get(notice.tabId)?.login ?? { platform, container: notice.container ?? DEFAULT_CONTAINER };
    logins.onPage(place, notice.look.login, notice.look.workspace);
    return undefined;
  });
  let wasFull = false;
  queue.changed.on(() => {
    if (wasFull && !queue.isFull) turns.onRoom();
    wasFull = queue.isFull;
  });
  env.onAlarm(() => {
    void bridge.wake();
    turns.wake();
  });
  env.onStorageChanged((keys) => {
    if (keys.includes(STORAGE_KEYS.settings)) void parts.readSettings().then(() => clientState.soon());
    if (keys.includes(STORAGE_KEYS.pairing)) void bridge.connect();
  });
  env.onBrowserStart(() => {
    void logins.onBrowserStart();
    turns.onBrowserStart();
  });
}

/** Each part reads its storage. Events that come before that wait in the parts that need it. */
async function load(parts: Parts): Promise<void> {
  const { bridge, diagnostics, logins, queue, readSettings, tabs, turns } = parts;
  const others = [readSettings(), diagnostics.load(), queue.load(), logins.load(), tabs.load()];
  await turns.load(Promise.allSettled(others));
  await bridge.connect();
}

export interface Background extends Parts {
  /** Resolves when every part has read its storage. */
  ready: Promise<void>;
}

export function startBackground(env: BackgroundEnv): Background {
  const parts = buildParts(env);
  listen(parts);
  const people = composePeople(parts);
  composeRecovery(parts, composeDeliveries(parts, people), people);
  return { ...parts, ready: load(parts) };
}
