/** The parts of the background page. */
import type { Platform } from '../../schema/contracts/common.ts';
import { Emitter } from '../lib/emitter.ts';
import { SettingsSchema, storedSettings } from '../lib/settings.ts';
import type { HelpedTurn } from '../people-messages.ts';
import { Bridge } from './bridge/bridge.ts';
import { PairingStore } from './bridge/pairing.ts';
import { Diagnostics } from './diagnostics.ts';
import type { BackgroundEnv } from './env.ts';
import { Logins } from './logins/logins.ts';
import { MessageQueue } from './queue/message-queue.ts';
import { ClientStateReports } from './tabs/client-state.ts';
import { pageCaller } from './tabs/page-calls.ts';
import { TabRegistry } from './tabs/tab-registry.ts';
import type { TrafficEvent } from './traffic.ts';
import type { PlanOf } from './turns/final-message.ts';
import { Turns } from './turns/turns.ts';

/** Builds every part; nothing runs yet. */
export function buildParts(env: BackgroundEnv) {
  const traffic = new Emitter<TrafficEvent>();
  const { sites, clock, storage, random, newId } = env;
  const platforms = sites.map(({ platform }) => platform);
  const settingsStore = storedSettings(storage);
  /** The settings were read, at the start or after a change. */
  const settingsRead = new Emitter<void>();
  /** A person wants nothing more done about an answer that does not end. */
  const helpStopped = new Emitter<HelpedTurn>();
  let settings = SettingsSchema.parse({});
  let isHeadless = false;
  const isOn = (platform: Platform) => !settings.sites_off.includes(platform);
  const pairing = new PairingStore({ storage, readProvision: env.readProvision });
  const diagnostics = new Diagnostics({ storage, clock, isOn, send: (frame) => bridge.send(frame) });
  const bridge: Bridge = new Bridge({
    openSocket: env.openSocket,
    clock,
    random,
    readPairing: () => pairing.read(),
    browserName: env.browserName,
    extensionVersion: env.extensionVersion,
    origin: env.people.ownOrigin.replace(/\/$/, ''),
    platforms,
    report: (what) => diagnostics.report(null, what),
  });
  const queue = new MessageQueue({
    storage,
    clock,
    random,
    report: (what, of) => diagnostics.report(of?.platform ?? null, what, of?.conversation_id),
    // The browser may have been paired under another id since the message was stored.
    send: (frame) => bridge.clientId !== null && bridge.send({ ...frame, client_id: bridge.clientId }),
  });
  // Deliveries are composed later; until then nothing has been sent that is known.
  let planOf: PlanOf = () => undefined;
  const tabs = new TabRegistry({ tabs: env.tabs, sites, now: () => clock.now() });
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
    // While the agent is connected, storage need not be asked.
    clientId: async () => bridge.clientId ?? (await pairing.clientId()),
    planOf: (platform, userMessageId) => planOf(platform, userMessageId),
    accountToName: ({ login }) => logins.accountToName(login),
    report: (platform, what, conversationId) => diagnostics.report(platform, what, conversationId),
  });
  const clientState = new ClientStateReports({ clock, tabs, logins, newId, isOn, send: (frame) => bridge.send(frame) });
  const readSettings = async () => {
    try {
      settings = await settingsStore.read();
      isHeadless = await pairing.isHeadless();
    } finally {
      // What cannot be read stays as it was, and waits for it end.
      settingsRead.emit();
    }
  };
  return {
    env,
    sites,
    traffic,
    bridge,
    clientState,
    diagnostics,
    helpStopped,
    isOn,
    logins,
    /** Whether Firefox notifies a person. Without a window it would not be seen, and would take the focus from the page. */
    notices: () => settings.notices ?? !isHeadless,
    pages,
    pairing,
    queue,
    readSettings,
    settings: () => settings,
    settingsRead,
    tabs,
    turns,
    /** Turns name the plans that deliveries know. */
    takePlans(find: PlanOf) {
      planOf = find;
    },
  };
}

export type Parts = ReturnType<typeof buildParts>;
