import { describe, expect, it } from 'vitest';
import type { ManifestFacts } from '../../../../extension/build/manifest.ts';
import { MANIFEST_VERSIONS, manifestOf } from '../../../../extension/build/manifest.ts';

const FACTS: ManifestFacts = {
  version: '1.2.3',
  hasLocales: true,
  sites: [
    { matches: ['https://one.test/*'], wire: { requestPatterns: ['https://one.test/api/*'] } },
    { matches: ['https://two.test/*'], wire: { requestPatterns: ['https://stream.two.test/live/*'] } },
  ],
};
const HOSTS = ['https://one.test/*', 'https://stream.two.test/*', 'https://two.test/*'];

describe('the manifest of both versions', () => {
  it.each(MANIFEST_VERSIONS)('Manifest V%i injects into the pages of every site and no other', (version) => {
    const { content_scripts } = manifestOf(version, FACTS);
    expect(content_scripts).toEqual([
      { matches: ['https://one.test/*', 'https://two.test/*'], js: ['content/main.js'], run_at: 'document_start' },
    ]);
  });

  it.each(MANIFEST_VERSIONS)('Manifest V%i exposes no file of the extension to pages', (version) => {
    expect(Object.keys(manifestOf(version, FACTS))).not.toContain('web_accessible_resources');
  });

  it.each(MANIFEST_VERSIONS)('Manifest V%i runs in Firefox 140 and not in private windows', (version) => {
    expect(manifestOf(version, FACTS)).toMatchObject({
      manifest_version: version,
      version: '1.2.3',
      default_locale: 'en',
      incognito: 'not_allowed',
      browser_specific_settings: { gecko: { id: 'extension@baa-conductor', strict_min_version: '140.0' } },
    });
  });

  it.each(MANIFEST_VERSIONS)(
    'Manifest V%i lets its own pages connect to loopback without upgrading to TLS',
    (version) => {
      const csp = JSON.stringify(manifestOf(version, FACTS).content_security_policy);
      expect(csp).toContain("connect-src 'self' ws://127.0.0.1:* ws://localhost:*");
      expect(csp).not.toContain('upgrade-insecure-requests');
    },
  );

  it('names no default language when there are no texts in several languages', () => {
    expect(Object.keys(manifestOf(2, { ...FACTS, hasLocales: false }))).not.toContain('default_locale');
  });

  it('refuses to be made without a site', () => {
    expect(() => manifestOf(2, { ...FACTS, sites: [] })).toThrow('lists no site');
  });

  it('refuses a pattern without a host', () => {
    const site = { matches: ['<all_urls>'], wire: { requestPatterns: [] } };
    expect(() => manifestOf(2, { ...FACTS, sites: [site] })).toThrow('"<all_urls>" is not a match pattern with a host');
  });
});

describe('what the extension may do', () => {
  it('Manifest V2 asks for its six permissions and the hosts of the sites', () => {
    expect(manifestOf(2, FACTS).permissions).toEqual([
      'alarms',
      'cookies',
      'notifications',
      'storage',
      'webRequest',
      'webRequestBlocking',
      ...HOSTS,
    ]);
  });

  it('Manifest V3 asks for the same, and for the filter of responses', () => {
    expect(manifestOf(3, FACTS)).toMatchObject({
      permissions: [
        'alarms',
        'cookies',
        'notifications',
        'storage',
        'webRequest',
        'webRequestBlocking',
        'webRequestFilterResponse',
      ],
      host_permissions: HOSTS,
    });
  });

  it('the background of V2 is a page that stays, and that of V3 an event page', () => {
    expect(manifestOf(2, FACTS).background).toEqual({ scripts: ['background/main.js'], persistent: true });
    expect(manifestOf(3, FACTS).background).toEqual({ scripts: ['background/main.js'] });
  });
});
