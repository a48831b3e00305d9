/**
 * The example of docs/policy.md against a chat that lays out files so that an allowed program runs another one. Each
 * attack is first run by Git as it is, where its program must run, and then by the conductor, where it must not.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HostPolicy } from '../../../../local-agent/policy/host-policy.ts';
import type { Policy } from '../../../../schema/contracts/policy.ts';
import { ARGV_PLACEHOLDERS, PolicySchema } from '../../../../schema/contracts/policy.ts';
import { tempFolder } from '../host/workspace.ts';

const PAGE = new URL('../../../../docs/policy.md', import.meta.url);
const EXAMPLE = /```json\n([\s\S]*?)\n```/.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';
const POLICY = PolicySchema.parse(JSON.parse(EXAMPLE));
const PLACEHOLDERS: readonly string[] = Object.values(ARGV_PLACEHOLDERS);

/** Every argv that the example allows, with nothing in place of a rest. */
const ALLOWED = POLICY.exec.rules
  .filter(({ decision }) => decision === 'allow')
  .map(({ match }) => match.argv.filter((item) => !PLACEHOLDERS.includes(item)));

let home: string;
let root: string;
let marker: string;

beforeEach(() => {
  home = tempFolder();
  root = join(home, 'src');
  marker = join(home, 'ran');
  vi.stubEnv('HOME', home);
  put(join(home, 'evil.sh'), `#!/bin/sh\necho ran > ${marker}\ncat\n`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  if (text.startsWith('#!')) chmodSync(path, 0o755);
}

function git(cwd: string, ...args: string[]): void {
  const identity = ['-c', 'user.name=someone', '-c', 'user.email=someone@example.com', '-c', 'gc.auto=0'];
  execFileSync('git', [...identity, ...args], { cwd, stdio: 'pipe' });
}

const evil = () => join(home, 'evil.sh');
const monitor = () => `[core]\n\tfsmonitor = ${evil()}\n`;
const filter = () => `[filter "x"]\n\tclean = ${evil()}\n`;

/** A repository with one committed file that was changed, whose filter is named by the attributes. */
function repository(name: string, ...options: string[]): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '-q', '-b', 'main', ...options);
  put(join(folder, '.gitattributes'), '*.txt filter=x\n');
  put(join(folder, 'a.txt'), 'one\n');
  git(folder, 'add', '.');
  git(folder, 'commit', '-qm', 'first');
  put(join(folder, 'a.txt'), 'two\n');
  return folder;
}

/** Appends to a file, as a chat can with `files/write` and `overwrite`. */
function append(path: string, text: string): void {
  put(path, `${existsSync(path) ? readFileSync(path, 'utf8') : ''}${text}`);
}

/** Runs the argv as the conductor does, under the policy. */
async function runAsChat(argv: string[], cwd: string, policy: Policy, path = process.env.PATH) {
  const host = new HostPolicy({
    policyFile: { current: () => policy },
    workspace: join(home, '.baa', 'workspace'),
    protectedPaths: [],
    env: { HOME: home, PATH: path },
    timeouts: { timeoutMs: 60_000, execTimeoutMs: 60_000 },
    monotonic: () => performance.now(),
    undo: { keeper: () => () => () => undefined },
    newTemporaryName: () => 'temporary',
  });
  const params = { argv, cwd };
  expect(host.judge({ name: 'conductor::exec', params }, { platform: 'chatgpt', conversation_id: 'c' }).decision).toBe(
    'allow',
  );
  const signal = new AbortController().signal;
  const effect = { instructionId: 'ins_1', signal, onProcess: () => undefined, onOutput: () => undefined };
  return await host.perform('conductor::exec', params, effect);
}

/** The argvs among the allowed ones that run the attacker's program when Git runs as it is. */
function succeedsWithoutDefence(cwd: string, path = process.env.PATH): string[][] {
  return ALLOWED.filter((argv) => {
    rmSync(marker, { force: true });
    spawnSync(argv[0] ?? '', argv.slice(1), { cwd, env: { HOME: home, PATH: path } });
    return existsSync(marker);
  });
}

/** Each attack lays out files, and returns the folder in which the chat calls Git. */
const ATTACKS: Record<string, () => string> = {
  'a bare repository with a monitor': () => {
    const bare = join(root, 'bare');
    put(join(bare, 'HEAD'), 'ref: refs/heads/main\n');
    for (const folder of ['objects', 'refs']) put(join(bare, folder, 'x'), '');
    put(join(bare, 'config'), `[core]\n\trepositoryformatversion = 0\n\tworktree = .\n${monitor()}`);
    return bare;
  },
  'a Git directory under another name with a filter': () => {
    const folder = repository('project');
    const moved = join(root, 'moved');
    renameSync(join(folder, '.git'), moved);
    append(join(moved, 'config'), `${filter()}[core]\n\tbare = false\n\tworktree = ${folder}\n`);
    return moved;
  },
  'a monitor in the target of a .git file': () => {
    const folder = repository('project', '--separate-git-dir', join(root, 'store'));
    append(join(root, 'store', 'config'), monitor());
    return folder;
  },
  'a filter in the target of a .git file': () => {
    const folder = repository('project', '--separate-git-dir', join(root, 'store'));
    append(join(root, 'store', 'config'), filter());
    mkdirSync(join(folder, 'below'));
    return join(folder, 'below');
  },
  'a hook in the target of a .git file': () => {
    const folder = repository('project', '--separate-git-dir', join(root, 'store'));
    put(join(folder, 'a.txt'), 'one\n');
    put(join(root, 'store', 'hooks', 'post-index-change'), `#!/bin/sh\necho ran > ${marker}\n`);
    return folder;
  },
  'a filter in the target of a link named .git': () => {
    const folder = repository('project');
    renameSync(join(folder, '.git'), join(root, 'store'));
    symlinkSync(join(root, 'store'), join(folder, '.git'));
    append(join(root, 'store', 'config'), filter());
    return folder;
  },
  'a filter in a file that .git/config includes': () => {
    const folder = repository('project');
    git(folder, 'config', 'include.path', '../.gitconfig');
    put(join(folder, '.gitconfig'), filter());
    return folder;
  },
  'a filter in the config of a worktree outside .git': () => {
    const folder = repository('project', '--separate-git-dir', join(root, 'store'));
    git(folder, 'config', 'extensions.worktreeConfig', 'true');
    put(join(root, 'store', 'config.worktree'), filter());
    return folder;
  },
  'a hook in the working tree, where core.hooksPath leads': () => {
    const folder = repository('project');
    git(folder, 'config', 'core.hooksPath', '.husky');
    put(join(folder, 'a.txt'), 'one\n');
    put(join(folder, '.husky', 'post-index-change'), `#!/bin/sh\necho ran > ${marker}\n`);
    return folder;
  },
  'a filter in a file of a root that ~/.gitconfig includes': () => {
    put(join(home, '.gitconfig'), `[include]\n\tpath = ~/src/dotfiles/gitconfig\n`);
    put(join(root, 'dotfiles', 'gitconfig'), filter());
    return repository('project');
  },
  'a filter in a file of a root to which ~/.gitconfig is a link': () => {
    put(join(root, 'dotfiles', 'gitconfig'), filter());
    symlinkSync(join(root, 'dotfiles', 'gitconfig'), join(home, '.gitconfig'));
    return repository('project');
  },
};

describe('under the example of docs/policy.md', () => {
  it.each(Object.entries(ATTACKS))('%s runs no program', async (_name, layOut) => {
    const cwd = layOut();
    expect(succeedsWithoutDefence(cwd)).not.toEqual([]);
    for (const argv of ALLOWED) {
      rmSync(marker, { force: true });
      await runAsChat(argv, cwd, POLICY);
      expect([argv, existsSync(marker)]).toEqual([argv, false]);
    }
  });

  it.each(['.gitconfig', '.config/git/config'])('~/%s runs no program where a root holds HOME', async (name) => {
    const policy = { ...POLICY, roots: ['~'] };
    const cwd = repository('project');
    put(join(home, name), filter());
    expect(succeedsWithoutDefence(cwd)).not.toEqual([]);
    for (const argv of ALLOWED) {
      rmSync(marker, { force: true });
      await runAsChat(argv, cwd, policy);
      expect([argv, existsSync(marker)]).toEqual([argv, false]);
    }
  });

  it('a program named git in a folder of PATH inside a root does not run', async () => {
    const cwd = repository('project');
    const path = `${join(root, 'bin')}:${process.env.PATH}`;
    put(join(root, 'bin', 'git'), `#!/bin/sh\necho ran > ${marker}\n`);
    expect(succeedsWithoutDefence(cwd, path)).toHaveLength(ALLOWED.length);
    rmSync(marker);
    for (const argv of ALLOWED) expect((await runAsChat(argv, cwd, POLICY, path)).status).toBe('succeeded');
    expect(existsSync(marker)).toBe(false);
  });

  it('Git works in a usual repository, with the filters and the name that the person has configured', async () => {
    const cwd = repository('project');
    put(join(home, '.gitconfig'), `[user]\n\tname = someone\n${filter()}`);
    for (const argv of ALLOWED) expect(await runAsChat(argv, cwd, POLICY)).toMatchObject({ status: 'succeeded' });
    expect((await runAsChat(['git', 'status'], cwd, POLICY)).output).toContain('modified:   a.txt');
    expect(existsSync(marker)).toBe(true);
  });

  it('a repository that Git refuses is named, with the file that a chat could write', async () => {
    const cwd = ATTACKS['a filter in the target of a .git file']?.() ?? '';
    const { status, output } = await runAsChat(['git', 'status'], cwd, POLICY);
    expect(status).toBe('failed');
    expect(output).toContain(`[conductor] Git refuses this repository: a chat could write ${root}/store/config`);
  });

  it.each([
    [['git', '-c', 'core.fsmonitor=./x', 'status']],
    [['git', '-C', 'other', 'status']],
    [['git', 'status', '--help']],
    [['git', 'status', 'a', '--column=always']],
    [['git', 'log', '--oneline', '-20', '--output=x']],
    [['git', 'log', '--oneline', '-20', '--show-signature']],
    [['git', 'diff', '--stat', '--ext-diff']],
    [['/tmp/git', 'status']],
    [['rm', '-rf', '.']],
  ])('%j is not allowed', (argv) => {
    const host = new HostPolicy({
      policyFile: { current: () => POLICY },
    } as unknown as ConstructorParameters<typeof HostPolicy>[0]);
    expect(
      host.judge({ name: 'conductor::exec', params: { argv } }, { platform: 'chatgpt', conversation_id: 'c' }).decision,
    ).not.toBe('allow');
  });
});
