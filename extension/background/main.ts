/** Starts the background page in Firefox. */
import { systemClock } from '../lib/clock.ts';
import { translator } from '../overlay/texts.ts';
import { SITES } from '../sites/registry.ts';
import { startBackground } from './background.ts';
import type { PeopleEnv } from './env.ts';
import { openSocket, storageArea, webRequestOf } from './firefox.ts';
import { approvalWindow } from './people/approval-window.ts';

/** Wakes a suspended event page, which then connects again if it has to. */
const ALARM = 'wake';
const ALARM_MINUTES = 0.5;
/** An open WebSocket does not keep an event page alive; a call of the browser's own interface does. */
const KEEP_ALIVE_MS = 15_000;
const APPROVAL_WINDOW = { width: 460, height: 560 } as const;

async function readProvision(): Promise<string | null> {
  try {
    const response = await fetch(browser.runtime.getURL('provision.json'));
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

async function browserName(): Promise<string> {
  const { name, version } = await browser.runtime.getBrowserInfo();
  return `${name} ${version}`;
}

/** The toolbar button. Manifest V3 calls it `action`. */
const button = browser.action ?? browser.browserAction;
void button.setPopup({ popup: 'options/options.html#popup' });

function showBadge({ text, color, title }: Parameters<PeopleEnv['showBadge']>[0]): void {
  void button.setBadgeText({ text });
  void button.setBadgeBackgroundColor({ color });
  void button.setTitle({ title });
}

const { webRequest, tabs, storage, runtime, alarms, windows, notifications } = browser;
const manifest = runtime.getManifest();
const background = startBackground({
  sites: SITES,
  clock: systemClock,
  random: Math.random,
  newId: () => crypto.randomUUID(),
  storage: storageArea(storage.local),
  webRequest: webRequestOf(webRequest),
  tabs,
  openSocket,
  extensionId: runtime.id,
  extensionVersion: manifest.version,
  browserName,
  readProvision,
  onMessage: (listener) => runtime.onMessage.addListener(listener),
  onBrowserStart: (listener) => runtime.onStartup.addListener(listener),
  onAlarm(listener) {
    alarms.create(ALARM, { periodInMinutes: ALARM_MINUTES });
    alarms.onAlarm.addListener(listener);
  },
  onStorageChanged: (listener) => storage.local.onChanged.addListener((changes) => listener(Object.keys(changes))),
  people: {
    onConnect: (listener) => runtime.onConnect.addListener(listener),
    ownOrigin: runtime.getURL(''),
    manifestVersion: manifest.manifest_version,
    translate: translator(browser.i18n),
    showBadge,
    notifications: {
      show: (id, text) =>
        notifications.create(id, { type: 'basic', iconUrl: runtime.getURL('icons/conductor.svg'), ...text }),
      clear: (id) => notifications.clear(id),
      onClicked: (listener) => notifications.onClicked.addListener(listener),
    },
    showTab: async (tabId) => {
      const { windowId } = await tabs.update(tabId, { active: true });
      if (windowId !== undefined) await windows.update(windowId, { focused: true });
    },
    openPage: (url) => browser.tabs.create({ url }),
    openOptions: () => runtime.openOptionsPage(),
    openApproval: approvalWindow(
      {
        create: (url) => windows.create({ url, type: 'popup', allowScriptsToClose: true, ...APPROVAL_WINDOW }),
        get: (id) => windows.get(id),
        remove: (id) => windows.remove(id),
      },
      (instructionId) => runtime.getURL(`options/options.html#approval=${encodeURIComponent(instructionId)}`),
      () => systemClock.now(),
    ),
    isPermitted: (origins) => browser.permissions.contains({ origins: [...origins] }),
    onPermissionsChanged(listener) {
      browser.permissions.onAdded.addListener(listener);
      browser.permissions.onRemoved.addListener(listener);
    },
  },
});

let keepAlive: number | undefined;
background.bridge.statusChanged.on(({ state }) => {
  clearInterval(keepAlive);
  if (state === 'connected') keepAlive = setInterval(() => void runtime.getPlatformInfo(), KEEP_ALIVE_MS);
});
