import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { builtArchive, installedPath, isOutdated, writeProvisioned } from '../../../../local-agent/firefox/archive.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const MANIFEST = text({ version: '1.0.0', browser_specific_settings: { gecko: { id: 'x@y' } } });
const [OLD, NEW] = [new Date(2020, 0, 1), new Date(2021, 0, 1)];

/** A program with sources of that age and an archive from between `OLD` and `NEW`. */
function programFolder(sources: Date): { program: string; path: string } {
  const program = tempDir();
  const path = join(program, 'dist', 'extension', 'baa-conductor-1.0.0-mv2.xpi');
  for (const name of ['extension/a/b.ts', 'schema/c.ts', 'package.json']) {
    mkdirSync(dirname(join(program, name)), { recursive: true });
    writeFileSync(join(program, name), '{}');
    for (let at = name; at !== '.'; at = dirname(at)) utimesSync(join(program, at), OLD, OLD);
  }
  utimesSync(join(program, 'extension/a/b.ts'), sources, sources);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, zipSync({ 'manifest.json': MANIFEST }));
  utimesSync(path, new Date(2020, 6, 1), new Date(2020, 6, 1));
  return { program, path };
}

const options = (program: string) => ({ program, version: '1.0.0', manifestVersion: 2 as const, say: () => undefined });

describe('the archive of the extension', () => {
  it('is used as it is while no source is newer', async () => {
    const { program, path } = programFolder(OLD);
    expect(await builtArchive(options(program))).toEqual({ path, id: 'x@y', version: '1.0.0' });
  });

  it('is outdated when a source is newer, or when there is none', () => {
    const { program, path } = programFolder(NEW);
    expect(isOutdated(program, path)).toBe(true);
    expect(isOutdated(program, `${path}.missing`)).toBe(true);
  });

  it('a build that fails ends with the words of the build', async () => {
    const { program } = programFolder(NEW);
    mkdirSync(join(program, 'extension', 'build'));
    writeFileSync(join(program, 'extension/build/main.ts'), 'console.error("no such file: x.ts"); process.exit(1);');
    await expect(builtArchive(options(program))).rejects.toThrow('the extension was not built: no such file: x.ts');
  });
});

describe('the archive in a profile', () => {
  it('has the provision, only this user can read it, and the built one stays without', async () => {
    const { program, path } = programFolder(OLD);
    const archive = await builtArchive(options(program));
    const provision = {
      agent_url: 'http://127.0.0.1:4317',
      client_id: 'firefox-1',
      token: 'baa_secret_of_a_browser',
      headless: true,
    };
    const target = installedPath(tempDir(), archive);
    writeProvisioned(target, archive, provision);
    writeProvisioned(target, archive, provision);
    const entries = unzipSync(readFileSync(target));
    expect(JSON.parse(new TextDecoder().decode(entries['provision.json']))).toEqual(provision);
    expect(entries['manifest.json']).toEqual(MANIFEST);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(Object.keys(unzipSync(readFileSync(path)))).toEqual(['manifest.json']);
  });
});
