/** What the background page uses of the browser, so that a test can play the browser. */
import type { Clock } from '../lib/clock.ts';
import type { StorageArea } from '../lib/storage.ts';
import type { Site } from '../sites/site.ts';
import type { OpenSocket } from './bridge/socket.ts';
import type { WebRequest } from './capture/web-request.ts';
import type { PeopleDeps } from './people/people.ts';
import type { NotificationsApi } from './people/waiting-notices.ts';
import type { MessageSender } from './tabs/page-notices.ts';
import type { TabsApi } from './tabs/tabs-api.ts';

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
  /** What people see and use. */
  people: PeopleEnv;
}

export interface PeopleEnv extends Pick<PeopleDeps, 'onConnect' | 'ownOrigin' | 'manifestVersion' | 'translate'> {
  showBadge: PeopleDeps['showBadge'];
  notifications: NotificationsApi;
  /** Brings a tab and its window to the front. */
  showTab(tabId: number): Promise<unknown>;
  openPage(url: string): Promise<unknown>;
  openOptions: PeopleDeps['openOptions'];
  openApproval: PeopleDeps['openApproval'];
  /** Whether Firefox lets the extension see these hosts. With Manifest V3 a person can take that back. */
  isPermitted: (matches: readonly string[]) => Promise<boolean>;
  onPermissionsChanged: (listener: () => void) => void;
}
