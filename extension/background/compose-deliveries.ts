/** Connects deliveries and readings to the browser and to the agent. */
import type { AgentBridgeFrame } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { StorageArea } from '../lib/storage.ts';
import { STORAGE_KEYS, Stored } from '../lib/storage.ts';
import type { Site } from '../sites/site.ts';
import type { Deliveries, DeliveryFrame } from './deliveries/deliveries.ts';
import { startDeliveries } from './deliveries/deliveries.ts';
import type { PlanStorage } from './deliveries/plans.ts';
import { PlansSchema } from './deliveries/plans.ts';
import { cookieStoreOf, placeOf } from './logins/logins.ts';
import type { Parts } from './parts.ts';
import type { PeopleState } from './people/state.ts';
import { openTabs } from './tabs/open-tabs.ts';

/** The longest call of a content script: typing a long text in a hidden tab. Deliveries have deadlines of their own. */
const CALL_MS = 300_000;

function planStorage(area: StorageArea): PlanStorage {
  return new Stored(area, STORAGE_KEYS.plans, PlansSchema, []);
}

function isForDeliveries(frame: AgentBridgeFrame): frame is DeliveryFrame {
  return ['browser.proxy_delivery', 'browser.read_current', 'browser.cancel'].includes(frame.type);
}

/** Starts deliveries; from now on the agent's orders are taken. */
export function composeDeliveries(parts: Parts, people: Pick<PeopleState, 'delivery'>): Deliveries {
  const { env, bridge, diagnostics, logins, pages, sites, tabs, traffic } = parts;
  const siteOf = (platform: Platform): Site => {
    const site = sites.find((one) => one.platform === platform);
    if (site === undefined) throw new Error(`no site is registered for ${platform}`);
    return site;
  };
  const deliveries = startDeliveries({
    siteOf,
    isOn: (platform) => parts.isOn(platform),
    tabs: openTabs(env.tabs),
    call: (tabId, call, order) => pages.call(tabId, call, order, CALL_MS),
    traffic,
    account: (platform, { url, cookieStoreId }) => logins.accountAt(placeOf(siteOf(platform), url, cookieStoreId)),
    accountOfPage: (platform, container, { url, login, workspace }) =>
      logins.ofPage(placeOf(siteOf(platform), url, container), login, workspace),
    containerOf(platform, account) {
      const login = logins.of(platform).findLast(({ fingerprint }) => fingerprint === account);
      return login === undefined ? null : cookieStoreOf(login);
    },
    looks: tabs.looked,
    storage: planStorage(env.storage),
    clock: env.clock,
    identity: () => ({ clientId: bridge.clientId ?? '', connectionId: bridge.connectionId }),
    send: (frame) => void bridge.send(frame),
    ended: ({ end: { outcome, reason }, ...of }) => people.delivery({ ...of, outcome, reason, at: env.clock.now() }),
    onFree: (platform, conversation_id) => bridge.send({ type: 'browser.composer_free', platform, conversation_id }),
    diagnostic: (_level, message) => diagnostics.report(null, message),
  });
  parts.takePlans((platform, userMessageId) => deliveries.planOf(platform, userMessageId));
  bridge.frames.on((frame) => {
    if (isForDeliveries(frame)) deliveries.take(frame);
  });
  bridge.statusChanged.on(({ state }) => {
    if (state !== 'connected') deliveries.onDisconnected();
  });
  return deliveries;
}
