import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, it, vi } from 'vitest';
import { archiveOf } from '../../../../extension/build/archive.ts';
import { missingCredentials } from '../../../../extension/build/credentials.ts';
import { extensionFiles } from '../../../../extension/build/files.ts';
import { withoutHtml } from '../../../../extension/build/preact-without-html.ts';
import { REPOSITORY } from '../../../../local-agent/stack/layout.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const SITES = [{ matches: ['https://one.test/*'], wire: { requestPatterns: [] } }];
const SOURCES = {
  'background/main.ts': 'export const started: boolean = true;\nconsole.log(started);\n',
  'content/main.ts': 'console.log("content");\n',
  'options/main.tsx': 'console.log("options");\n',
  'options/options.html': '<!doctype html><script src="main.js"></script>\n',
  '_locales/en/messages.json': '{}\n',
  'notes.md': 'not for the archive\n',
};

function sourceFolder(): string {
  const source = tempDir();
  cpSync(join(REPOSITORY, 'extension', 'icons'), join(source, 'icons'), { recursive: true });
  for (const [path, text] of Object.entries(SOURCES)) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), text);
  }
  return source;
}

const filesOf = (source: string) => extensionFiles(2, { source, version: '0.1.0', sites: SITES });

describe('the files of the built extension', () => {
  it('holds the bundles, the static files and the manifest, and nothing else', async () => {
    const files = await filesOf(sourceFolder());
    expect([...files.keys()].sort()).toEqual([
      '_locales/en/messages.json',
      'background/main.js',
      'content/main.js',
      'icons/conductor.svg',
      'manifest.json',
      'options/main.js',
      'options/options.html',
    ]);
  });

  it('a bundle keeps no name in the global scope', async () => {
    const files = await filesOf(sourceFolder());
    expect(new TextDecoder().decode(files.get('background/main.js'))).toMatch(/^\(\(\) => \{/);
  });

  it('names every missing source', async () => {
    const source = sourceFolder();
    for (const path of ['background/main.ts', 'options/options.html']) rmSync(join(source, path));
    const missing = `${join(source, 'background/main.ts')}, ${join(source, 'options/options.html')}`;
    await expect(filesOf(source)).rejects.toThrow(`these files are missing: ${missing}`);
  });
});

describe('the archive', () => {
  it('is the same bytes for the same sources, in any folder and time zone', async () => {
    const first = archiveOf(await filesOf(sourceFolder()));
    vi.stubEnv('TZ', 'Asia/Tokyo');
    const second = archiveOf(await filesOf(sourceFolder()));
    vi.unstubAllEnvs();
    expect(Buffer.compare(first, second)).toBe(0);
  });

  it('does not depend on the order of the files', () => {
    const [one, two] = ['1', '2'].map((text) => new TextEncoder().encode(text));
    const files: [string, Uint8Array][] = [
      ['b', one ?? new Uint8Array()],
      ['a', two ?? new Uint8Array()],
    ];
    expect(Buffer.compare(archiveOf(new Map(files)), archiveOf(new Map(files.toReversed())))).toBe(0);
    expect(Object.keys(unzipSync(archiveOf(new Map(files))))).toEqual(['a', 'b']);
  });
});

describe('preact in the extension', () => {
  it('shows text in the one place where preact sets HTML', () => {
    expect(withoutHtml('if(h)(t.innerHTML=h.__html)', 'preact.mjs')).toBe('if(h)(t.textContent=h.__html)');
  });

  it('is refused when it no longer sets HTML in one place', () => {
    expect(() => withoutHtml('let x', 'preact.mjs')).toThrow('preact.mjs sets HTML in 0 places');
  });
});

describe('signing', () => {
  it('names the credentials that are missing and where they come from', () => {
    expect(missingCredentials({ WEB_EXT_API_KEY: 'user:1:2' })).toMatch(
      /^WEB_EXT_API_SECRET \(the "JWT secret"\) is not set[.] Create a key at https:\/\/addons[.]mozilla[.]org/,
    );
    expect(missingCredentials({})).toContain('WEB_EXT_API_KEY (the "JWT issuer") and WEB_EXT_API_SECRET');
  });

  it('is ready with both credentials', () => {
    expect(missingCredentials({ WEB_EXT_API_KEY: 'user:1:2', WEB_EXT_API_SECRET: 'secret' })).toBeNull();
  });
});
