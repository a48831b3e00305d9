/** Preferences of Firefox: the text of `user.js`, and what `--pref` means. */

export type PrefValue = boolean | number | string;
export type Prefs = Readonly<Record<string, PrefValue>>;

/** Firefox keeps integers of 32 bits. */
const MAX_INTEGER = 2 ** 31 - 1;
const UUIDS = 'extensions.webextensions.uuids';

/** In every profile of `conductor firefox`. */
const ALWAYS: Prefs = {
  // A new archive in the profile is used without a question.
  'extensions.autoDisableScopes': 0,
  'extensions.startupScanScopes': 1,
  'extensions.originControls.grantByDefault': true,
  // What the extension keeps outlives a temporary installation.
  'extensions.webextensions.keepStorageOnUninstall': true,
  'extensions.webextensions.keepUuidOnUninstall': true,
  // A tab that Firefox unloads takes no delivery.
  'browser.tabs.unloadOnLowMemory': false,
  // No page, question or report at the first start, and no safe mode after a few kills.
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'termsofuse.bypassNotification': true,
  'toolkit.startup.max_resumed_crashes': -1,
};

/** With `MOZ_DISABLE_NONLOCAL_CONNECTIONS` Firefox ends at its first connection to the network, so it makes none. */
const WITHOUT_NETWORK: Prefs = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.newtabpage.enabled': false,
  'browser.region.network.url': '',
  'browser.safebrowsing.blockedURIs.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'browser.startup.homepage': 'about:blank',
  'dom.push.connection.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.trr.mode': 5,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': '',
};

export interface PrefFacts {
  /** The archive in the profile has no signature. */
  isUnsigned: boolean;
  isOffline: boolean;
  extensionId: string;
  uuid: string;
  /** Of `--pref`; these count most. */
  given: Prefs;
}

/** The preferences of one start. `prefsJs`: what Firefox has saved in the profile, empty at the first start. */
export function prefsOf({ isUnsigned, isOffline, extensionId, uuid, given }: PrefFacts, prefsJs: string): Prefs {
  return {
    ...ALWAYS,
    ...(isUnsigned && { 'xpinstall.signatures.required': false }),
    ...(isOffline && WITHOUT_NETWORK),
    [UUIDS]: JSON.stringify({ ...savedUuids(prefsJs), [extensionId]: uuid }),
    ...given,
  };
}

/** `NAME=VALUE`: the name ends at the first `=`. `true`, `false` and integers are that, anything else is a text. */
export function parsePref(text: string): [name: string, value: PrefValue] | null {
  const at = text.indexOf('=');
  if (at < 1) return null;
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (value === 'true' || value === 'false') return [name, value === 'true'];
  return [name, /^-?\d+$/.test(value) && Math.abs(Number(value)) <= MAX_INTEGER ? Number(value) : value];
}

/** The text of `user.js`, which Firefox reads at each start. */
export function userJs(prefs: Prefs): string {
  const lines = Object.entries(prefs).map(([name, value]) => `user_pref(${quote(name)}, ${quote(value)});\n`);
  return `// Written by conductor firefox at each start.\n${lines.join('')}`;
}

/** A value as Firefox parses it; of the escapes of JSON it knows a few only. */
function quote(value: PrefValue): string {
  if (typeof value !== 'string') return String(value);
  const escaped = value.replaceAll(/["\\\p{Cc}\u2028\u2029]/gu, (char) => {
    return char === '"' || char === '\\' ? `\\${char}` : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

/** Without the saved values of these preferences: what an earlier start set and this one does not is the default again. */
export function withoutPrefs(prefsJs: string, names: readonly string[]): string {
  const starts = names.map((name) => `user_pref(${quote(name)},`);
  return prefsJs
    .split('\n')
    .filter((line) => !starts.some((start) => line.startsWith(start)))
    .join('\n');
}

/** The UUIDs that Firefox has given to its own extensions in this profile; they are kept. */
function savedUuids(prefsJs: string): Record<string, unknown> {
  const text = new RegExp(`^user_pref\\("${UUIDS.replaceAll('.', '[.]')}", (".*")\\);$`, 'm').exec(prefsJs)?.[1];
  try {
    return text === undefined ? {} : JSON.parse(JSON.parse(text));
  } catch {
    return {};
  }
}
