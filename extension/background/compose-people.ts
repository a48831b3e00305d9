/** Connects what people see and do to the other parts of the background page. */
import type { ActionResult, AgentBridgeFrame } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { storedSettings } from '../lib/settings.ts';
import { STORAGE_KEYS } from '../lib/storage.ts';
import type { EndedDelivery } from '../people-messages.ts';
import { pairByCode } from './bridge/pair-by-code.ts';
import type { Parts } from './parts.ts';
import type { FirefoxDeps } from './people/in-firefox.ts';
import { PageControls } from './people/page-controls.ts';
import { startPeople } from './people/people.ts';
import { changeSettings } from './people/settings.ts';
import type { PeopleState } from './people/state.ts';

export interface PeopleEnv extends FirefoxDeps {
  browserName: string;
  /** Whether Firefox lets the extension see these pages. */
  isPermitted(origins: string[]): Promise<boolean>;
  onPermissionsChanged(listener: () => void): void;
}

export function composePeople(parts: Parts, firefox: PeopleEnv): PeopleState {
  const { env, bridge } = parts;
  const { translate } = firefox;
  const controls = new PageControls({
    send: (frame) => bridge.send(frame),
    newRequestId: env.newId,
    after: (delayMs, run) => env.clock.after(delayMs, run),
    translate,
  });
  const people: PeopleState = startPeople({
    ...firefox,
    platformOf: (url) => parts.tabs.siteOf(url)?.platform ?? null,
    act: (action) => controls.act(action),
    change: (order) => changeSettings(settingsDeps(parts, firefox, showSites), order),
  });
  const showSites = async (): Promise<void> => people.sites(await readSites(parts, firefox));
  const showConnection = async (): Promise<void> => {
    const { status } = bridge;
    people.connection(status, await readAgentUrl(parts));
    if (status.state === 'unpaired') people.forgetSnapshot();
  };
  bridge.statusChanged.on(({ state }) => {
    if (state !== 'connected') controls.connectionLost();
    void showConnection();
  });
  bridge.frames.on((frame) => takeFrame(people, controls, frame));
  watchDeliveries(parts, people);
  watchDrift(parts, people);
  const showQueue = () => people.queue(parts.queue.size, parts.queue.oldestAt);
  parts.queue.changed.on(showQueue);
  env.onStorageChanged((keys) => {
    if (keys.includes(STORAGE_KEYS.settings)) void showSites();
    if (keys.includes(STORAGE_KEYS.settings) || keys.includes(STORAGE_KEYS.pairing)) void showConnection();
  });
  firefox.onPermissionsChanged(() => void showSites());
  void showSites();
  void showConnection();
  showQueue();
  return people;
}

function takeFrame(people: PeopleState, controls: PageControls, frame: AgentBridgeFrame): void {
  if (frame.type === 'hello_ack' || frame.type === 'snapshot') people.snapshot(frame.snapshot);
  if (frame.type === 'page_control_result') controls.ended(frame);
  if (frame.type === 'error' && frame.re !== null) controls.refused(frame.re, frame.code, frame.message);
}

/** Orders whose end is awaited. */
const MAX_ORDERS = 50;

function watchDeliveries({ bridge, env }: Parts, people: PeopleState): void {
  /** The conversation of each order, by its request. */
  const orders = new Map<string, string | null>();
  bridge.frames.on((frame) => {
    if (frame.type !== 'browser.proxy_delivery') return;
    orders.set(frame.request_id, frame.conversation_id);
    const [oldest] = orders.keys();
    if (orders.size > MAX_ORDERS && oldest !== undefined) orders.delete(oldest);
  });
  bridge.sent.on((frame) => {
    if (frame.type !== 'browser.action_result') return;
    const ended = endedDelivery(frame, orders.get(frame.request_id) ?? null, env.clock.now());
    if (ended === null) return;
    orders.delete(frame.request_id);
    people.delivery(ended);
  });
}

/** How a delivery ended for a person; null for what is no end of a delivery. */
export function endedDelivery(result: ActionResult, conversationId: string | null, at: number): EndedDelivery | null {
  const { action, accepted, completed, failed, reason, target, downstream } = result;
  const platform = PlatformSchema.safeParse(target?.platform);
  if (action !== 'browser.proxy_delivery' || !completed || !platform.success) return null;
  const base = { platform: platform.data, conversationId, reason, at };
  if (!accepted) return { ...base, outcome: result.retry_after_ms == null ? 'failed' : 'deferred' };
  if (!failed) return { ...base, outcome: 'delivered' };
  const isRefused = downstream?.http_status != null && downstream.http_status >= 300;
  return { ...base, outcome: downstream == null || isRefused ? 'failed' : 'uncertain' };
}

/** What the looks of the pages and the decoders report as changed. A look that reports the same as before says nothing new. */
function watchDrift({ looks, traffic }: Parts, people: PeopleState): void {
  const before = new Map<Platform, ReadonlySet<string>>();
  looks.on(({ platform, look }) => {
    const known = before.get(platform);
    for (const what of look.drift) if (!known?.has(what)) people.drift(platform, what);
    before.set(platform, new Set(look.drift));
  });
  traffic.on((event) => {
    if (event.type === 'decoded' && event.event.type === 'drift') people.drift(event.platform, event.event.what);
  });
}

async function readAgentUrl({ env, pairing }: Parts): Promise<string> {
  const paired = await pairing.read().catch(() => null);
  return paired?.agent_url ?? (await storedSettings(env.storage).read()).agent_url;
}

async function readSites({ env, sites }: Parts, { isPermitted }: PeopleEnv) {
  const { sites_off } = await storedSettings(env.storage).read();
  return Promise.all(
    sites.map(async ({ platform, matches }) => ({
      platform,
      isOn: !sites_off.includes(platform),
      isPermitted: await isPermitted([...matches]).catch(() => false),
    })),
  );
}

function settingsDeps(parts: Parts, { translate }: PeopleEnv, checkPermissions: () => Promise<void>) {
  const { env, pairing, bridge } = parts;
  const settings = storedSettings(env.storage);
  return {
    translate,
    checkPermissions,
    agentUrl: () => readAgentUrl(parts),
    setAgentUrl: async (url: string) => {
      await settings.write({ ...(await settings.read()), agent_url: url });
      // An agent that has moved knows the token as before.
      const paired = await pairing.read();
      if (paired !== null && paired.agent_url !== url) await pairing.write({ ...paired, agent_url: url });
      else await bridge.connect();
    },
    setSite: async (platform: Platform, isOn: boolean) => {
      const before = await settings.read();
      const sites_off = before.sites_off.filter((one) => one !== platform);
      await settings.write({ ...before, sites_off: isOn ? sites_off : [...sites_off, platform] });
    },
    pair: async (code: string) => {
      const [agentUrl, clientId] = [await readAgentUrl(parts), await pairing.clientId()];
      return pairByCode(env, { agentUrl, clientId, code });
    },
    keepToken: async (token: string) => {
      const [agent_url, client_id] = [await readAgentUrl(parts), await pairing.clientId()];
      await pairing.write({ agent_url, client_id, token });
    },
    forgetPairing: () => env.storage.remove([STORAGE_KEYS.pairing]),
  };
}
