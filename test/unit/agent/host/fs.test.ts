import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFileSlice, withFolder, writeWholeFile } from '../../../../local-agent/host/fs.ts';
import type { Roots } from '../../../../local-agent/host/roots.ts';
import { FileError, openRoots } from '../../../../local-agent/host/roots.ts';

let base: string;
let root: string;
let outside: string;
let roots: Roots;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'baa-fs-')));
  root = join(base, 'workspace');
  outside = join(base, 'outside');
  mkdirSync(root);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  roots = openRoots([root], []);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** The code that an operation was refused with. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
  return 'done';
}

const read = (path: string) => readFileSlice(roots, roots.resolve(path), { offset: 0, length: 1_000 }).bytes.toString();
const write = (path: string, options: { overwrite?: boolean; createParents?: boolean } = {}, through = roots) =>
  writeWholeFile(through, through.resolve(path), Buffer.from('new'), {
    overwrite: false,
    createParents: false,
    temporary: '.temporary',
    ...options,
  });

describe('reading', () => {
  it('reads a slice of a file and says how large the file is', () => {
    writeFileSync(join(root, 'a'), '0123456789');
    const slice = readFileSlice(roots, roots.resolve('a'), { offset: 2, length: 3 });
    expect([slice.bytes.toString(), slice.size]).toEqual(['234', 10]);
  });

  it('follows a link that stays inside the roots', () => {
    writeFileSync(join(root, 'a'), 'A');
    symlinkSync('a', join(root, 'link'));
    expect(read('link')).toBe('A');
  });

  it.each([
    ['a path that climbs out', '../outside/secret'],
    ['one that climbs out and is not there', '../outside/nothing'],
    ['an absolute path', '/etc/hostname'],
    ['a device', '/dev/null'],
    ['another process', '/proc/self/environ'],
    ['a link out', 'link-out'],
    ['a file behind a linked folder', 'folder-out/secret'],
    ['a link to nothing', 'dangling'],
  ])('refuses %s', (_what, path) => {
    symlinkSync(join(outside, 'secret'), join(root, 'link-out'));
    symlinkSync(outside, join(root, 'folder-out'));
    symlinkSync(join(outside, 'nothing'), join(root, 'dangling'));
    expect(refusal(() => read(path))).toBe('path_outside_roots');
  });

  it('refuses a hard link, which may be the second name of a file outside', () => {
    linkSync(join(outside, 'secret'), join(root, 'hard'));
    expect(refusal(() => read('hard'))).toBe('hard_linked');
  });

  it('refuses a FIFO without waiting for its writer, and a folder', () => {
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(root, 'fifo')]);
    mkdirSync(join(root, 'folder'));
    expect(refusal(() => read('fifo'))).toBe('not_a_file');
    expect(refusal(() => read('folder'))).toBe('not_a_file');
  });

  it.each([
    ['nothing', 'not_found'],
    ['a/b', 'not_a_directory'],
    ['a\0b', 'invalid_path'],
  ])('names what is wrong with %j', (path, code) => {
    writeFileSync(join(root, 'a'), 'A');
    expect(refusal(() => read(path))).toBe(code);
  });
});

describe('writing', () => {
  it('writes a whole file and leaves nothing else behind', () => {
    expect(write('a')).toEqual({ replaced: false, path: join(root, 'a') });
    expect(readdirSync(root)).toEqual(['a']);
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('new');
  });

  it('refuses a name that is taken unless it may overwrite, and then keeps the mode', () => {
    writeFileSync(join(root, 'a'), 'old', { mode: 0o750 });
    expect(refusal(() => write('a'))).toBe('exists');
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('old');
    expect(write('a', { overwrite: true }).replaced).toBe(true);
    expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o750);
    expect(readdirSync(root)).toEqual(['a']);
  });

  it('makes missing folders only when asked', () => {
    expect(refusal(() => write('x/y/a'))).toBe('not_found');
    expect(existsSync(join(root, 'x'))).toBe(false);
    write('x/y/a', { createParents: true });
    expect(readFileSync(join(root, 'x/y/a'), 'utf8')).toBe('new');
  });

  it.each(['../outside/new', '/tmp/baa-new', 'folder-out/new', 'folder-out/x/new', 'link-out', 'dangling'])(
    'refuses to write outside: %s',
    (path) => {
      symlinkSync(outside, join(root, 'folder-out'));
      symlinkSync(join(outside, 'secret'), join(root, 'link-out'));
      symlinkSync(join(outside, 'made'), join(root, 'dangling'));
      expect(refusal(() => write(path, { overwrite: true, createParents: true }))).toBe('path_outside_roots');
      expect(readdirSync(outside)).toEqual(['secret']);
      expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    },
  );

  it('replaces the name of a hard link and leaves the file behind its other name alone', () => {
    linkSync(join(outside, 'secret'), join(root, 'hard'));
    write('hard', { overwrite: true });
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('does not replace a FIFO or a folder', () => {
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(root, 'fifo')]);
    mkdirSync(join(root, 'folder'));
    expect(refusal(() => write('fifo', { overwrite: true }))).toBe('not_a_file');
    expect(refusal(() => write('folder', { overwrite: true }))).toBe('not_a_file');
  });

  it('never touches what belongs to the agent, in whatever case it is written', () => {
    mkdirSync(join(root, 'state'));
    const guarded = openRoots([root], [join(root, 'policy.json'), join(root, 'state')]);
    for (const path of ['policy.json', 'POLICY.json', 'state/agent.sqlite', 'state']) {
      expect(refusal(() => write(path, { overwrite: true }, guarded))).toBe('path_protected');
    }
  });

  it('knows what belongs to the agent through a linked folder, before it is there', () => {
    symlinkSync(root, join(base, 'linked'));
    const own = ['policy.json', 'state/new/file'].map((name) => join(base, 'linked', name));
    for (const through of [root, join(base, 'linked')]) {
      const guarded = openRoots([through], own);
      expect(refusal(() => write(join(through, 'policy.json'), {}, guarded))).toBe('path_protected');
      expect(refusal(() => write(join(through, 'state/new/file'), { createParents: true }, guarded))).toBe(
        'path_protected',
      );
    }
  });

  // The attack is played at the one moment that counts: after the path was judged, before it is used.
  it.runIf(process.platform === 'linux')(
    'stays in the folder it has judged when the path is swapped for a link',
    () => {
      mkdirSync(join(root, 'folder'));
      let judgements = 0;
      const swapping: Roots = {
        ...roots,
        admit(path) {
          roots.admit(path);
          judgements += 1;
          if (judgements !== 3) return;
          renameSync(join(root, 'folder'), join(root, 'moved'));
          symlinkSync(outside, join(root, 'folder'));
        },
      };
      write('folder/new', { overwrite: true }, swapping);
      expect(readdirSync(outside)).toEqual(['secret']);
      expect(readFileSync(join(root, 'moved/new'), 'utf8')).toBe('new');
    },
  );

  it.runIf(process.platform === 'linux')('refuses a folder that was swapped for a link before it was opened', () => {
    mkdirSync(join(root, 'folder'));
    const swapping: Roots = {
      ...roots,
      admit(path) {
        roots.admit(path);
        if (path !== join(root, 'folder') || !existsSync(path)) return;
        rmSync(join(root, 'folder'), { recursive: true });
        symlinkSync(outside, join(root, 'folder'));
      },
    };
    expect(refusal(() => write('folder/new', { overwrite: true }, swapping))).not.toBe('done');
    expect(readdirSync(outside)).toEqual(['secret']);
  });
});

describe.runIf(process.platform === 'linux')(
  'a folder on the way that is swapped for a link before it is opened',
  () => {
    /** Roots that admit the path honestly; the attack follows at once. */
    function swapping(): Roots {
      mkdirSync(join(root, 'way', 'inner'), { recursive: true });
      mkdirSync(join(outside, 'inner'));
      writeFileSync(join(root, 'way', 'inner', 'secret'), 'mine');
      writeFileSync(join(outside, 'inner', 'secret'), 'secret');
      let swapped = false;
      return {
        ...roots,
        admit(path) {
          roots.admit(path);
          if (swapped) return;
          swapped = true;
          renameSync(join(root, 'way'), join(root, 'moved'));
          symlinkSync(outside, join(root, 'way'));
        },
      };
    }

    it('is not read through', () => {
      const through = swapping();
      const path = through.resolve('way/inner/secret');
      expect(refusal(() => readFileSlice(through, path, { offset: 0, length: 9 }))).toBe('path_outside_roots');
    });

    it('is not worked in', async () => {
      const through = swapping();
      const working = withFolder(through, through.resolve('way/inner'), async () => 'ran');
      await expect(working).rejects.toMatchObject({ code: 'path_outside_roots' });
    });

    it('is not written through', () => {
      expect(refusal(() => write('way/inner/new', {}, swapping()))).toBe('path_outside_roots');
      expect(readdirSync(join(outside, 'inner'))).toEqual(['secret']);
    });
  },
);

describe('working in a folder', () => {
  it('gives a path of that very folder, and refuses one outside', async () => {
    writeFileSync(join(root, 'a'), 'A');
    expect(await withFolder(roots, root, async (path) => readdirSync(path))).toEqual(['a']);
    await expect(withFolder(roots, outside, async () => 'ran')).rejects.toMatchObject({ code: 'path_outside_roots' });
  });
});
