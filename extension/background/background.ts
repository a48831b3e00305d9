/**
 * The background page: the only place that builds its parts and connects them. Everything that touches the browser comes
 * in as `env`, so that a test can play the browser. All listeners are registered before the first `await`, as an event page
 * requires; every part finds in storage what an earlier background page has left.
 */
import type { AgentBridgeFrame } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import type { Settings } from '../lib/settings.ts';
import { SettingsSchema, storedSettings } from '../lib/settings.ts';
import type { StorageArea } from '../lib/storage.ts';
import { STORAGE_KEYS } from '../lib/storage.ts';
import type { Site } from '../sites/site.ts';
import { Bridge } from './bridge/bridge.ts';
import { PairingStore } from './bridge/pairing.ts';
import type { OpenSocket } from './bridge/socket.ts';
import { startCapture } from './capture/capture.ts';
import type { WebRequest } from './capture/web-request.ts';
import { Diagnostics } from './diagnostics.ts';
import { Logins } from './logins/logins.ts';
import { MessageQueue } from './queue/message-queue.ts';
import { ClientStateReports } from './tabs/client-state.ts';
import type { PageCaller } from './tabs/page-calls.ts';
import { pageCaller } from './tabs/page-calls.ts';
import type { MessageSender } from './tabs/page-notices.ts';
import { readNotice } from './tabs/page-notices.ts';
import { TabRegistry } from './tabs/tab-registry.ts';
import type { TabsApi } from './tabs/tabs-api.ts';
import type { TrafficEvent } from './traffic.ts';
import { Turns } from './turns/turns.ts';

export interface BackgroundEnv {
  sites: readonly Site[];
  clock: Clock;
  random: () => number;
  newId: () => string;
  storage: StorageArea;
  webRequest: WebRequest;
  tabs: TabsApi;
  openSocket: OpenSocket;
  extensionId: string;
  extensionVersion: string;
  browserName: () => Promise<string>;
  /** The text of `provision.json` in the archive; null when there is none. */
  readProvision: () => Promise<string | null>;
  /** Messages of content scripts and pages of this extension. */
  onMessage: (listener: (message: unknown, sender: MessageSender) => undefined) => void;
  /** The browser has started, as against a background page that was only suspended. */
  onBrowserStart: (listener: () => void) => void;
  /** Wakes a suspended background page from time to time. */
  onAlarm: (listener: () => void) => void;
  /** Keys of storage that have changed. */
  onStorageChanged: (listener: (keys: readonly string[]) => void) => void;
}

/** What the other parts of the background page build on. */
export interface Background {
  env: BackgroundEnv;
  traffic: Emitter<TrafficEvent>;
  tabs: TabRegistry;
  pages: PageCaller;
  logins: Logins;
  bridge: Bridge;
  pairing: PairingStore;
  queue: MessageQueue;
  diagnostics: Diagnostics;
  clientState: ClientStateReports;
  settings: () => Settings;
  isOn: (platform: Platform) => boolean;
  /** Resolves when every part has read its storage. */
  ready: Promise<void>;
}

function build(env: BackgroundEnv) {
  const { sites, clock, storage, random, newId } = env;
  const platforms = sites.map(({ platform }) => platform);
  const settingsStore = storedSettings(storage);
  let settings = SettingsSchema.parse({});
  const isOn = (platform: Platform) => !settings.sites_off.includes(platform);
  const pairing = new PairingStore({ storage, readProvision: env.readProvision });
  const diagnostics = new Diagnostics({ storage, clock, send: (frame) => bridge.send(frame) });
  const report = (what: string) => diagnostics.report(null, what);
  const bridge: Bridge = new Bridge({
    openSocket: env.openSocket,
    clock,
    random,
    readPairing: () => pairing.read(),
    browserName: env.browserName,
    extensionVersion: env.extensionVersion,
    platforms,
    report,
  });
  const queue = new MessageQueue({
    storage,
    clock,
    random,
    report,
    // The browser may have been paired under another id since the message was stored.
    send: (frame) => bridge.clientId !== null && bridge.send({ ...frame, client_id: bridge.clientId }),
  });
  const tabs = new TabRegistry({ tabs: env.tabs, sites, now: clock.now });
  const pages = pageCaller(env.tabs, clock);
  const logins = new Logins(storage, platforms);
  const turns = new Turns({
    storage,
    clock,
    sites,
    tabs,
    pages,
    queue,
    isOn,
    clientId: () => pairing.clientId(),
    report: (platform, what) => diagnostics.report(platform, what),
  });
  const clientState = new ClientStateReports({ clock, tabs, logins, newId, isOn, send: (frame) => bridge.send(frame) });
  const readSettings = async () => {
    settings = await settingsStore.read();
  };
  return {
    bridge,
    clientState,
    diagnostics,
    isOn,
    logins,
    pages,
    pairing,
    queue,
    readSettings,
    settings: () => settings,
    tabs,
    turns,
  };
}

type Parts = ReturnType<typeof build>;

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

/** Registers every listener. */
function listen(env: BackgroundEnv, parts: Parts, traffic: Emitter<TrafficEvent>): void {
  const { bridge, clientState, logins, tabs, turns } = parts;
  const onTraffic = (event: TrafficEvent) => {
    if (!parts.isOn(event.platform)) return;
    turns.onTraffic(event);
    logins.onTraffic(event);
    clientState.onTraffic(event);
  };
  traffic.on(onTraffic);
  startCapture({ ...env, emit: (event) => traffic.emit(event) });
  tabs.listen();
  bridge.frames.on((frame) => onFrame(parts, frame));
  env.onMessage((message, sender) => {
    const notice = readNotice(message, sender, { extensionId: env.extensionId, tabs });
    const platform = notice === null ? undefined : tabs.siteOf(notice.look.url)?.platform;
    if (notice === null || platform === undefined) return undefined;
    tabs.onLook(notice.tabId, notice.look);
    turns.onPage(platform, notice.tabId, notice.look);
    logins.onPage(platform, notice.look.login);
    return undefined;
  });
  env.onAlarm(() => {
    void bridge.wake();
    turns.wake();
  });
  env.onStorageChanged((keys) => {
    if (keys.includes(STORAGE_KEYS.settings)) void parts.readSettings().then(() => clientState.soon());
    if (keys.includes(STORAGE_KEYS.pairing)) void bridge.connect();
  });
  env.onBrowserStart(() => void logins.onBrowserStart());
}

async function load(parts: Parts): Promise<void> {
  const { bridge, diagnostics, logins, queue, tabs, turns } = parts;
  await Promise.all([parts.readSettings(), diagnostics.load(), queue.load(), logins.load(), tabs.load()]);
  await turns.load();
  await bridge.connect();
}

export function startBackground(env: BackgroundEnv): Background {
  const parts = build(env);
  const traffic = new Emitter<TrafficEvent>();
  listen(env, parts, traffic);
  const ready = load(parts);
  return { ...parts, env, traffic, ready };
}
