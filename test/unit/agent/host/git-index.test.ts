/** What the index says, compared with `git ls-files`. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { indexedSubmodules } from '../../../../local-agent/host/git-index.ts';
import { useWorkspace } from './workspace.ts';

const SHA1_BYTES = 20;
const SHA256_BYTES = 32;
const LONG = `${'long/'.repeat(900)}name`;
const SUBMODULES = ['a/sub', 'libs/b', 'libs/c', LONG, 'zz', 'é/sub'];

const workspace = useWorkspace();

function git(args: readonly string[], input = ''): string {
  const env = { PATH: process.env.PATH, HOME: workspace.base, GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', ['-c', 'core.quotePath=false', ...args], {
    cwd: workspace.root,
    env,
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}

function addEntries(hashBytes: number, mode: string, names: readonly string[]): void {
  const hash = 'e6'.repeat(hashBytes);
  git(['update-index', '--index-info'], names.map((name) => `${mode} ${hash} 0\t${name}\n`).join(''));
}

/** A repository with six submodules among files, of which the names differ in length and share beginnings. */
function makeRepository(hashBytes: number, ...options: string[]): void {
  git(['init', '-q', ...options]);
  addEntries(
    hashBytes,
    '100644',
    Array.from({ length: 300 }, (_, n) => `libs/${'x'.repeat(n % 23)}${n}.txt`),
  );
  addEntries(hashBytes, '160000', SUBMODULES);
}

const directory = () => join(workspace.root, '.git');
const read = (hashBytes = SHA1_BYTES, bytes = 1024 * 1024) => indexedSubmodules(directory(), hashBytes, { bytes });

function listedByGit(): string[] {
  const lines = git(['ls-files', '-s']).split('\n');
  return lines.flatMap((line) => (line.startsWith('160000 ') ? [line.slice(line.indexOf('\t') + 1)] : []));
}

describe('the submodules in an index', () => {
  it.each([
    ['version 2', () => undefined],
    ['version 4', () => git(['update-index', '--index-version', '4'])],
    [
      'version 3, with entries that have more flags',
      () => {
        writeFileSync(join(workspace.root, 'later.txt'), '');
        git(['add', '--intent-to-add', 'later.txt']);
      },
    ],
    ['an index that is split', () => git(['update-index', '--split-index'])],
  ])('are those that git lists: %s', (_name, change) => {
    makeRepository(SHA1_BYTES);
    change();
    expect(read()).toEqual(SUBMODULES);
    expect(read()).toEqual(listedByGit());
  });

  it('are those that git lists: hashes of SHA-256', () => {
    makeRepository(SHA256_BYTES, '--object-format=sha256');
    expect(read(SHA256_BYTES)).toEqual(listedByGit());
    expect(() => read(SHA1_BYTES)).toThrow();
  });

  it('are none without an index', () => {
    git(['init', '-q']);
    expect(read()).toEqual([]);
  });

  it('are not known where an index is cut anywhere', () => {
    makeRepository(SHA1_BYTES);
    const whole = readFileSync(join(directory(), 'index'));
    for (let end = 0; end < whole.length; end += 97) {
      writeFileSync(join(directory(), 'index'), whole.subarray(0, end));
      expect(() => read(), `cut at ${end}`).toThrow();
    }
  });

  it('are not known where a part of a split index names a submodule by its place only', () => {
    makeRepository(SHA1_BYTES);
    git(['update-index', '--split-index']);
    git(['update-index', '--cacheinfo', `160000,${'ab'.repeat(SHA1_BYTES)},libs/b`]);
    expect(listedByGit()).toContain('libs/b');
    expect(() => read()).toThrow('it is split (run git update-index --no-split-index)');
  });

  it('are not known where an index is larger than what may be read', () => {
    makeRepository(SHA1_BYTES);
    expect(() => read(SHA1_BYTES, 1_000)).toThrow('it is too large to be read before each program');
  });

  it.each([
    ['more submodules than are checked', 'it lists more than 500 submodules', links()],
    ['more extensions than Git writes', 'it has too many extensions', extensions()],
  ])('are not known where an index has %s, which is noticed before it is read to the end', (_name, why, bytes) => {
    git(['init', '-q']);
    writeFileSync(join(directory(), 'index'), bytes);
    expect(() => read()).toThrow(why);
  });
});

function header(entries: number): Buffer {
  const bytes = Buffer.from('DIRC\0\0\0\x02\0\0\0\0', 'latin1');
  bytes.writeUInt32BE(entries, 8);
  return bytes;
}

/** 600 submodules, and then nothing where a thousand entries must be. */
function links(): Buffer {
  const entry = Buffer.alloc(72);
  entry.writeUInt32BE(0o160000, 24);
  entry.writeUInt16BE(3, 60);
  entry.write('sub', 62, 'latin1');
  return Buffer.concat([header(1_000), ...Array.from({ length: 600 }, () => entry)]);
}

/** 2,000 empty extensions, and then a damaged one. */
function extensions(): Buffer {
  const empty = Buffer.from('TREE\0\0\0\0', 'latin1');
  const parts = Array.from({ length: 2_000 }, () => empty);
  return Buffer.concat([header(0), ...parts, Buffer.from('TREE\xff\xff\xff\xff', 'latin1'), Buffer.alloc(20)]);
}
