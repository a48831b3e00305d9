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
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileError, openRoots } from '../../../../local-agent/host/roots.ts';
import { UndoStore } from '../../../../local-agent/host/undo.ts';
import { redactor } from '../../../../local-agent/lib/redact.ts';
import { HostPolicy } from '../../../../local-agent/policy/host-policy.ts';
import { runHostTool } from '../../../../local-agent/tools/registry.ts';
import type { ToolContext } from '../../../../local-agent/tools/tool.ts';
import { newMark } from '../../../../local-agent/worker-runner/left-behind.ts';
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

const ORIGIN = { platform: 'chatgpt', conversation_id: 'conversation-1' } as const;

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

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** The conductor's policy and tools, as the agent builds them. */
function hostUnder(policy: Policy, path = process.env.PATH): HostPolicy {
  return new HostPolicy({
    policyFile: { current: () => policy },
    workspace: join(home, '.baa', 'workspace'),
    protectedPaths: [],
    env: { HOME: home, PATH: path },
    timeouts: { timeoutMs: 60_000, execTimeoutMs: 60_000 },
    monotonic: () => performance.now(),
    undo: new UndoStore(join(home, '.baa', 'undo')),
    newTemporaryName: () => 'temporary',
  } as ConstructorParameters<typeof HostPolicy>[0]);
}

const effect = () => ({
  instructionId: 'ins_1',
  signal: new AbortController().signal,
  mark: newMark(),
  onProcess: () => undefined,
  onOutput: () => undefined,
});

/** Runs the argv as the conductor does, under the policy. */
async function runAsChat(argv: string[], cwd: string, policy = POLICY, path = process.env.PATH) {
  const host = hostUnder(policy, path);
  const params = { argv, cwd };
  expect(host.judge({ name: 'conductor::exec', params }, ORIGIN).decision).toBe('allow');
  return await host.perform('conductor::exec', params, effect());
}

/** The same for a host whose file tools protect nothing in a root but `.git`. */
async function runUnprotected(argv: string[], cwd: string, folders: readonly string[]) {
  const admit = (path: string) => {
    const isInside = folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
    if (!isInside || path.split('/').includes('.git')) throw new FileError('path_outside_roots', path);
  };
  const roots = { ...openRoots([root], []), admit, admitChange: admit, admitReachable: admit };
  const context = { ...effect(), roots, env: { HOME: home, PATH: process.env.PATH }, timeoutMs: 60_000 };
  const redact = redactor(null, { env: {}, readFile: () => null });
  const rest = { redact, keeper: () => () => () => undefined, newTemporaryName: () => 'temporary' };
  const tools = { ...context, ...rest } as unknown as ToolContext;
  return await runHostTool('conductor::exec', { argv, cwd }, tools, () => performance.now());
}

/** The argvs among the allowed ones that run the attacker's program when Git runs as it is. */
function succeedsWithoutDefence(cwd: string, path = process.env.PATH): string[][] {
  return ALLOWED.filter((argv) => {
    rmSync(marker, { force: true });
    spawnSync(argv[0] ?? '', argv.slice(1), { cwd, env: { HOME: home, PATH: path } });
    return existsSync(marker);
  });
}

interface Attack {
  /** Where the chat calls Git. */
  cwd: string;
  /** The files that the chat writes, as `files/write` would. */
  writes: Record<string, string>;
  /** What lies in a root beside `~/src`. */
  root?: string;
}

/** Each prepares what the person has, and names what the chat adds. */
const ATTACKS: Record<string, () => Attack> = {
  'a bare repository with a monitor': () => {
    const cwd = join(root, 'bare');
    const config = `[core]\n\trepositoryformatversion = 0\n\tworktree = .\n${monitor()}`;
    const layout = { HEAD: 'ref: refs/heads/main\n', 'objects/x': '', 'refs/x': '', config };
    const writes = Object.fromEntries(Object.entries(layout).map(([name, text]) => [join(cwd, name), text]));
    return { cwd, writes };
  },
  'a Git directory under another name with a filter': () => {
    const folder = repository('project');
    const cwd = join(root, 'moved');
    renameSync(join(folder, '.git'), cwd);
    const config = join(cwd, 'config');
    return {
      cwd,
      writes: { [config]: `${textOf(config)}${filter()}[core]\n\tbare = false\n\tworktree = ${folder}\n` },
    };
  },
  'a monitor in the target of a .git file': () => storeAttack(monitor()),
  'a filter in the target of a .git file': () => storeAttack(filter()),
  'a filter in the target of a .git file, called from a folder below': () => {
    const { cwd, writes } = storeAttack(filter());
    mkdirSync(join(cwd, 'below'));
    return { cwd: join(cwd, 'below'), writes };
  },
  'a hook in the target of a .git file': () => {
    const cwd = repository('project', '--separate-git-dir', join(root, 'store'));
    put(join(cwd, 'a.txt'), 'one\n');
    const hook = join(root, 'store', 'hooks', 'post-index-change');
    put(hook, '#!/bin/sh\n');
    return { cwd, writes: { [hook]: `#!/bin/sh\necho ran > ${marker}\n` } };
  },
  'a filter in the target of a link named .git': () => {
    const cwd = repository('project');
    const store = join(root, 'store');
    renameSync(join(cwd, '.git'), store);
    symlinkSync(store, join(cwd, '.git'));
    return { cwd, writes: { [join(store, 'config')]: `${textOf(join(store, 'config'))}${filter()}` } };
  },
  'a filter in a file that .git/config includes': () => {
    const cwd = repository('project');
    git(cwd, 'config', 'include.path', '../shared.config');
    return { cwd, writes: { [join(cwd, 'shared.config')]: filter() } };
  },
  'a filter in a file that .git/config includes through nine others': () => {
    const cwd = repository('project');
    const shared = join(cwd, 'shared.config');
    for (let n = 1; n <= 9; n++) {
      put(join(home, `include-${n}`), `[include]\n\tpath = ${n === 9 ? shared : join(home, `include-${n + 1}`)}\n`);
    }
    git(cwd, 'config', 'include.path', join(home, 'include-1'));
    return { cwd, writes: { [shared]: filter() } };
  },
  'a filter in the config of a worktree outside .git': () => {
    const cwd = repository('project', '--separate-git-dir', join(root, 'store'));
    git(cwd, 'config', 'extensions.worktreeConfig', 'true');
    return { cwd, writes: { [join(root, 'store', 'config.worktree')]: filter() } };
  },
  'a filter in a file that the config of a submodule includes': () => submoduleAttack('sub'),
  'the same in a submodule whose name holds a slash': () => submoduleAttack('libs/sub'),
  'a filter in a file that the config of a submodule in a submodule includes': () => {
    const { cwd, writes } = submoduleAttack('sub');
    const outer = repository('outer');
    git(outer, ...SUBMODULE_ADD, cwd, 'middle');
    git(join(outer, 'middle'), '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
    const sub = join(outer, 'middle', 'sub');
    git(sub, 'config', 'include.path', join(sub, 'shared.config'));
    put(join(sub, 'a.txt'), 'two\n');
    return { cwd: outer, writes: { [join(sub, 'shared.config')]: Object.values(writes)[0] ?? '' } };
  },
  'a filter in a file that the config of a submodule includes, whose Git directory lies in its own folder': () => {
    const attack = submoduleAttack('sub');
    moveSubmodule(attack.cwd, join(attack.cwd, 'sub', '.git'));
    return attack;
  },
  'the same where the Git directory of the submodule lies outside the roots': () => {
    const attack = submoduleAttack('sub');
    moveSubmodule(attack.cwd, join(home, 'stores', 'sub'));
    return attack;
  },
  'a filter in the Git directory of a submodule that lies in a root, through a link named .git': () => {
    const { cwd } = submoduleAttack('sub');
    const store = join(root, 'stores', 'sub');
    moveSubmodule(cwd, store);
    git(join(cwd, 'sub'), 'config', '--unset', 'include.path');
    rmSync(join(cwd, 'sub', '.git'));
    symlinkSync(store, join(cwd, 'sub', '.git'));
    return { cwd, writes: { [join(store, 'config')]: `${textOf(join(store, 'config'))}${filter()}` } };
  },
  'a filter in a file that a repository includes, one of whose worktrees is a submodule': () => {
    const { cwd, writes } = submoduleAttack('sub');
    const library = join(root, 'library');
    rmSync(join(cwd, 'sub'), { recursive: true });
    rmSync(join(cwd, '.git', 'modules'), { recursive: true });
    git(library, 'worktree', 'add', '-q', '-f', join(cwd, 'sub'), '-b', 'other');
    git(library, 'config', 'include.path', join(cwd, 'sub', 'shared.config'));
    put(join(cwd, 'sub', 'a.txt'), 'two\n');
    return { cwd, writes };
  },
  'a filter in a file that a submodule of a submodule includes, both with their own Git folders': () => {
    const { cwd, writes } = submoduleAttack('sub');
    const outer = repository('outer');
    git(outer, ...SUBMODULE_ADD, cwd, 'middle');
    const middle = join(outer, 'middle');
    git(middle, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
    const sub = join(middle, 'sub');
    git(sub, 'config', 'include.path', join(sub, 'shared.config'));
    put(join(sub, 'a.txt'), 'two\n');
    moveSubmodule(middle, join(sub, '.git'));
    moveSubmodule(outer, join(middle, '.git'), 'middle');
    return { cwd: outer, writes: { [join(sub, 'shared.config')]: Object.values(writes)[0] ?? '' } };
  },
  'the same from a folder of the repository, whose working tree core.worktree names': () => {
    const { cwd, writes } = submoduleAttack('sub');
    moveSubmodule(cwd, join(cwd, 'sub', '.git'));
    const beside = join(root, 'beside');
    mkdirSync(beside);
    renameSync(join(cwd, '.git'), join(beside, '.git'));
    git(beside, 'config', 'core.worktree', cwd);
    mkdirSync(join(beside, 'below'));
    return { cwd: join(beside, 'below'), writes };
  },
  'a hook in the working tree, where core.hooksPath leads': () => {
    const cwd = repository('project');
    git(cwd, 'config', 'core.hooksPath', '.husky');
    put(join(cwd, 'a.txt'), 'one\n');
    const hook = join(cwd, '.husky', 'post-index-change');
    put(hook, '#!/bin/sh\n');
    return { cwd, writes: { [hook]: `#!/bin/sh\necho ran > ${marker}\n` } };
  },
  'a filter in a file of a root that ~/.gitconfig includes': () => {
    put(join(home, '.gitconfig'), `[include]\n\tpath = ~/src/dotfiles/gitconfig\n`);
    return { cwd: repository('project'), writes: { [join(root, 'dotfiles', 'gitconfig')]: filter() } };
  },
  'a filter in a file of a root to which ~/.gitconfig is a link': () => {
    put(join(root, 'dotfiles', 'gitconfig'), '');
    symlinkSync(join(root, 'dotfiles', 'gitconfig'), join(home, '.gitconfig'));
    return { cwd: repository('project'), writes: { [join(root, 'dotfiles', 'gitconfig')]: filter() } };
  },
  'a filter in ~/.gitconfig, which a root holds': () => {
    return { cwd: repository('project'), root: home, writes: { [join(home, '.gitconfig')]: filter() } };
  },
  'a filter in ~/.config/git/config, which a root holds': () => {
    return { cwd: repository('project'), root: home, writes: { [join(home, '.config/git/config')]: filter() } };
  },
};

const SUBMODULE_ADD = ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add'];

/** The chat calls Git in the repository that holds the submodule. */
function submoduleAttack(name: string): Attack {
  const library = repository('library');
  const cwd = repository('project');
  git(cwd, ...SUBMODULE_ADD, library, name);
  git(cwd, 'commit', '-qam', 'with a submodule');
  const sub = join(cwd, name);
  git(sub, 'config', 'include.path', join(sub, 'shared.config'));
  put(join(sub, 'a.txt'), 'two\n');
  return { cwd, writes: { [join(sub, 'shared.config')]: filter() } };
}

/** Puts the Git directory of a submodule somewhere else, as older versions of Git and `--separate-git-dir` do. */
function moveSubmodule(cwd: string, to: string, name = 'sub'): void {
  const entry = join(cwd, name, '.git');
  const from = resolve(dirname(entry), textOf(entry).replace('gitdir: ', '').trim());
  rmSync(entry);
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
  if (to !== entry) put(entry, `gitdir: ${to}\n`);
  execFileSync('git', ['config', '--file', join(to, 'config'), 'core.worktree', dirname(entry)]);
}

function storeAttack(added: string): Attack {
  const cwd = repository('project', '--separate-git-dir', join(root, 'store'));
  const config = join(root, 'store', 'config');
  return { cwd, writes: { [config]: `${textOf(config)}${added}` } };
}

/** Writes the files by the host's own tool. Some of them may be refused. */
async function writeAsChat(writes: Record<string, string>, policy: Policy): Promise<void> {
  for (const [path, content] of Object.entries(writes)) {
    const params = { path, content, overwrite: true, create_parents: true };
    await hostUnder(policy).perform('conductor::files/write', params, effect());
  }
}

describe('under the example of docs/policy.md', () => {
  it.each(Object.entries(ATTACKS))('%s runs no program, although the files are there', async (_name, prepare) => {
    const attack = prepare();
    for (const [path, text] of Object.entries(attack.writes)) put(path, text);
    expect(succeedsWithoutDefence(attack.cwd)).not.toEqual([]);
    for (const argv of ALLOWED) {
      rmSync(marker, { force: true });
      await runUnprotected(argv, attack.cwd, [attack.root ?? root]);
      expect([argv, existsSync(marker)]).toEqual([argv, false]);
    }
  });

  it.each(Object.entries(ATTACKS))('%s runs no program when the chat writes the files', async (_name, prepare) => {
    const attack = prepare();
    const policy = attack.root === undefined ? POLICY : { ...POLICY, roots: [attack.root] };
    await writeAsChat(attack.writes, policy);
    mkdirSync(attack.cwd, { recursive: true });
    for (const argv of ALLOWED) {
      rmSync(marker, { force: true });
      await runAsChat(argv, attack.cwd, policy);
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
    const { cwd } = storeAttack(filter());
    const { status, output } = await runUnprotected(['git', 'status'], cwd, [root]);
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
    expect(hostUnder(POLICY).judge({ name: 'conductor::exec', params: { argv } }, ORIGIN).decision).not.toBe('allow');
  });
});
