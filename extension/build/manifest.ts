/**
 * The manifest of the extension, for Manifest V2, which is shipped, and V3, from one description. V2 keeps the background
 * page alive, so the connection to the agent never sleeps; V3 is the same extension with an event page.
 */

/** The part of a site that a manifest needs. */
export interface SitePatterns {
  matches: readonly string[];
  wire: { requestPatterns: readonly string[] };
}

export interface ManifestFacts {
  /** Version of the package. */
  version: string;
  sites: readonly SitePatterns[];
  /** Whether there are texts in several languages. */
  hasLocales: boolean;
}

export type ManifestVersion = 2 | 3;
export const MANIFEST_VERSIONS: readonly ManifestVersion[] = [2, 3];

export const EXTENSION_ID = 'extension@baa-conductor';
const MIN_FIREFOX = '140.0';
/** Firefox for Android is not a target; this is the first that knows every key, which the linter asks for. */
const MIN_FIREFOX_ANDROID = '142.0';
/** Built from the sources: output path by input path, both relative to the folder of the extension. */
export const ENTRIES: Readonly<Record<string, string>> = {
  'background/main': 'background/main.ts',
  'content/main': 'content/main.ts',
  'options/main': 'options/main.tsx',
};
/** Copied as they are. */
export const OPTIONS_PAGE = 'options/options.html';
export const ICON = 'icons/conductor.svg';

const NAME = 'Conductor';
const DESCRIPTION =
  'Connects AI chats in this browser to your own conductor: sees finished answers, and delivers replies.';
const ICON_SIZES = [16, 32, 48, 96, 128];
/**
 * Nothing of the extension's own pages loads from the network, and their only connection is to the agent on this machine.
 * Without this line V3 would upgrade `ws://` to `wss://`, which no agent serves.
 */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' ws://127.0.0.1:* ws://localhost:*",
].join('; ');

/** The pattern of the whole origin of another pattern: `https://host/*` for `https://host/path/*`. */
function originPattern(pattern: string): string {
  const [, origin] = /^([a-z*]+:\/\/[^/]+)\//.exec(pattern) ?? [];
  if (origin === undefined) throw new Error(`${JSON.stringify(pattern)} is not a match pattern with a host`);
  return `${origin}/*`;
}

const sorted = (patterns: readonly string[]): string[] => [...new Set(patterns)].sort();

function common({ version, sites, hasLocales }: ManifestFacts) {
  if (sites.length === 0) throw new Error('extension/sites/registry.ts lists no site: the extension would do nothing');
  const icons = Object.fromEntries(ICON_SIZES.map((size) => [size, ICON]));
  return {
    name: NAME,
    version,
    description: DESCRIPTION,
    ...(hasLocales && { default_locale: 'en' }),
    icons,
    browser_specific_settings: {
      gecko: {
        id: EXTENSION_ID,
        strict_min_version: MIN_FIREFOX,
        data_collection_permissions: { required: ['none'] },
      },
      gecko_android: { strict_min_version: MIN_FIREFOX_ANDROID },
    },
    // A private window has its own logins, which are not to be mixed with those that a conversation's link knows.
    incognito: 'not_allowed',
    content_scripts: [
      {
        matches: sorted(sites.flatMap(({ matches }) => matches)),
        js: ['content/main.js'],
        run_at: 'document_start',
      },
    ],
    options_ui: { page: OPTIONS_PAGE, open_in_tab: true },
  };
}

/** The hosts that the extension works on: the pages of the sites, and the requests that it observes. */
function hostsOf(sites: readonly SitePatterns[]): string[] {
  return sorted(sites.flatMap(({ matches, wire }) => [...matches, ...wire.requestPatterns]).map(originPattern));
}

/** @throws Error when no site is registered, or a pattern has no host */
export function manifestOf(manifestVersion: ManifestVersion, facts: ManifestFacts): Record<string, unknown> {
  // `cookies` names the container of a tab, so that a tab is opened beside it; no cookie is read by it.
  const permissions = ['alarms', 'cookies', 'notifications', 'storage', 'webRequest', 'webRequestBlocking'];
  const hosts = hostsOf(facts.sites);
  const button = { default_icon: ICON, default_title: NAME };
  const scripts = ['background/main.js'];
  if (manifestVersion === 2) {
    return {
      manifest_version: 2,
      ...common(facts),
      permissions: [...permissions, ...hosts],
      background: { scripts, persistent: true },
      browser_action: button,
      content_security_policy: CSP,
    };
  }
  return {
    manifest_version: 3,
    ...common(facts),
    permissions: [...permissions, 'webRequestFilterResponse'],
    host_permissions: hosts,
    background: { scripts },
    action: button,
    content_security_policy: { extension_pages: CSP },
  };
}
