/**
 * What only Firefox itself may do, in a Firefox started with `systemAccess`: how much memory an extension holds, what it
 * has stored, and the end of its event page. The scripts run in a tab at `about:memory`.
 */

import type { FirefoxTab } from './firefox-tab.ts';
import type { Firefox } from './open-firefox.ts';

interface Extension {
  terminateBackground(options: { ignoreDevToolsAttached: boolean; disableResetIdleForTest: boolean }): Promise<void>;
}
interface StoredValues {
  get(): Promise<Record<string, { deserialize?(scope: object, keepData: boolean): unknown } | unknown>>;
}
type Reporter = (process: string, path: string, kind: number, units: number, amount: number) => void;

/** Of Firefox's own scope, as far as it is used here. */
declare const WebExtensionPolicy: { getByID(id: string): { extension: Extension; mozExtensionHostname: string } };
declare const Services: { obs: { notifyObservers(subject: null, topic: string): void } };
declare const Cc: Record<string, { getService(what: object): MemoryReporters }>;
declare const Ci: { nsIMemoryReporterManager: object };
declare const ChromeUtils: {
  importESModule(url: string): {
    ExtensionStorageIDB: {
      getStoragePrincipal(extension: Extension): object;
      open(principal: object): Promise<StoredValues>;
    };
  };
};
interface MemoryReporters {
  minimizeMemoryUsage(callback: () => void): void;
  getReports(handle: Reporter, data: null, finished: () => void, finishData: null, anonymize: boolean): void;
}

export interface ExtensionMemory {
  /** What the background page holds, after garbage was collected. */
  pageBytes: number;
  /** What the process of extensions does not share with others. */
  processBytes: number;
}

export class Privileged {
  readonly #tab: FirefoxTab;
  readonly #extensionId: string;

  private constructor(tab: FirefoxTab, extensionId: string) {
    this.#tab = tab;
    this.#extensionId = extensionId;
  }

  static async open(firefox: Firefox, extensionId: string): Promise<Privileged> {
    return new Privileged(await firefox.openTab('about:memory'), extensionId);
  }

  async close(): Promise<void> {
    await this.#tab.close();
  }

  /** Ends the event page at once, also while it waits for something, as Firefox does with an idle one. */
  async suspend(): Promise<void> {
    await this.#tab.evaluate(async (id) => {
      const { extension } = WebExtensionPolicy.getByID(id);
      await extension.terminateBackground({ ignoreDevToolsAttached: true, disableResetIdleForTest: true });
    }, this.#extensionId);
  }

  async memory(): Promise<ExtensionMemory> {
    return await this.#tab.evaluate(async (id) => {
      const host = WebExtensionPolicy.getByID(id).mozExtensionHostname;
      const manager = Cc['@mozilla.org/memory-reporter-manager;1']?.getService(Ci.nsIMemoryReporterManager);
      if (manager === undefined) throw new Error('this Firefox has no memory reports');
      Services.obs.notifyObservers(null, 'child-mmu-request');
      await new Promise<void>((resolve) => manager.minimizeMemoryUsage(resolve));
      let pageBytes = 0;
      let processBytes = 0;
      const take: Reporter = (process, path, _kind, _units, amount) => {
        if (!/extension/i.test(process)) return;
        if (path === 'resident-unique') processBytes += amount;
        if (path.startsWith('explicit/') && path.includes(host)) pageBytes += amount;
      };
      await new Promise<void>((resolve) => manager.getReports(take, null, resolve, null, false));
      return { pageBytes, processBytes };
    }, this.#extensionId);
  }

  /** The characters of what the extension has in its storage, as JSON, by key. */
  async storage(): Promise<Record<string, number>> {
    return await this.#tab.evaluate(async (id) => {
      const { ExtensionStorageIDB } = ChromeUtils.importESModule('resource://gre/modules/ExtensionStorageIDB.sys.mjs');
      const principal = ExtensionStorageIDB.getStoragePrincipal(WebExtensionPolicy.getByID(id).extension);
      const values = await (await ExtensionStorageIDB.open(principal)).get();
      const sizes: Record<string, number> = {};
      for (const [key, value] of Object.entries(values)) sizes[key] = JSON.stringify(value).length;
      return sizes;
    }, this.#extensionId);
  }
}
