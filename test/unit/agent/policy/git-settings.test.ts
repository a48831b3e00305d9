/**
 * The settings and variables of Git that docs/policy.md lists, each with an attack that it alone stops. The repositories
 * lie where the file tools write nothing, so that Git does not refuse them. Each attack first runs as Git is, where it
 * must succeed.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError, openRoots } from '../../../../local-agent/host/roots.ts';
import { redactor } from '../../../../local-agent/lib/redact.ts';
import { runHostTool } from '../../../../local-agent/tools/registry.ts';
import type { ToolContext } from '../../../../local-agent/tools/tool.ts';
import { newMark } from '../../../../local-agent/worker-runner/left-behind.ts';
import { tempFolder } from '../host/workspace.ts';

const PAGE = readFileSync(new URL('../../../../docs/policy.md', import.meta.url), 'utf8');
const TABLE = /\| setting \| effect \|\n([\s\S]*?)\n\n/.exec(PAGE)?.[1] ?? '';
/** Every `name=value` in the first column of the table. */
const DOCUMENTED = TABLE.split('\n').flatMap((row) =>
  [...(row.split('|')[1] ?? '').matchAll(/`([^=`]+)=([^`]+)`/g)].map(([, name = '', value = '']) => [name, value]),
);
const SETTINGS = DOCUMENTED.filter(([name = '']) => name.includes('.'));
const VARIABLES = DOCUMENTED.filter(([name = '']) => !name.includes('.'));

const IDENTITY = '[user]\n\tname = someone\n\temail = someone@example.com\n[gc]\n\tautoDetach = false\n';

let home: string;
let repository: string;
let marker: string;
let evil: string;

beforeEach(() => {
  home = tempFolder();
  repository = join(home, 'project');
  marker = join(home, 'ran');
  evil = join(home, 'evil.sh');
  put(evil, `#!/bin/sh\necho ran > ${marker}\n`);
  put(join(home, '.gitconfig'), IDENTITY);
  mkdirSync(repository);
  git('init', '-q', '-b', 'main');
  put(join(repository, 'a.txt'), 'one\n');
  git('add', '.');
  git('commit', '-qm', 'first');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  if (text.startsWith('#!')) chmodSync(path, 0o755);
}

/** Git as it is, with the person's configuration. */
function git(...args: string[]) {
  const env = { HOME: home, PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1' };
  return spawnSync('git', args, { cwd: repository, env, encoding: 'utf8', timeout: 60_000 });
}

/** `exec` on a host whose tools may work in every folder, and write in none. */
async function exec(argv: string[], cwd = repository) {
  const admit = () => undefined;
  const refuse = (path: string) => {
    throw new FileError('path_outside_roots', path);
  };
  const context = {
    roots: { ...openRoots([home], []), admit, admitChange: refuse, admitReachable: refuse },
    env: { HOME: home, PATH: process.env.PATH },
    timeoutMs: 60_000,
    redact: redactor(null, { env: {}, readFile: () => null }),
    signal: new AbortController().signal,
    keeper: () => () => () => undefined,
    newTemporaryName: () => 'temporary',
    mark: newMark(),
    onProcess: () => undefined,
    onOutput: () => undefined,
  } as unknown as ToolContext;
  return await runHostTool('conductor::exec', { argv, cwd }, context, () => performance.now());
}

interface Attack {
  argv: string[];
  /** What the attacker wants; a program that ran, unless it says otherwise. */
  succeeded?: () => boolean;
}

const ran = () => existsSync(marker);
const inStore = (...names: string[]) => join(repository, '.git', ...names);

function hook(name: string): void {
  put(inStore('hooks', name), readFileSync(evil, 'utf8'));
}

function commit(name: string): void {
  put(join(repository, name), `${name}\n`);
  git('add', '.');
  git('commit', '-qm', name);
}

const packs = () => readdirSync(inStore('objects', 'pack')).filter((name) => name.endsWith('.pack')).length;

/** Each prepares the repository, which a person or another program has left so. */
const ATTACKS: Record<string, () => Attack> = {
  'safe.bareRepository: a filter in a folder that looks like a repository': () => {
    const store = join(repository, 'kept');
    mkdirSync(join(store, 'tree'), { recursive: true });
    git('init', '-q', '--bare', store);
    const keep = ['--git-dir', store, '--work-tree', join(store, 'tree')];
    put(join(store, 'tree', '.gitattributes'), '*.txt filter=x\n');
    put(join(store, 'tree', 'a.txt'), 'one\n');
    git(...keep, 'add', '.');
    git(...keep, 'config', 'core.bare', 'false');
    git(...keep, 'config', 'core.worktree', join(store, 'tree'));
    git(...keep, 'config', 'filter.x.clean', evil);
    put(join(store, 'tree', 'a.txt'), 'two\n');
    repository = store;
    return { argv: ['git', 'status'] };
  },
  'core.fsmonitor: a monitor': () => {
    git('config', 'core.fsmonitor', evil);
    return { argv: ['git', 'status'] };
  },
  'core.hooksPath: a hook before a commit': () => {
    hook('pre-commit');
    return { argv: ['git', 'commit', '--allow-empty', '-m', 'next'] };
  },
  'core.hooksPath: a hook after a checkout': () => {
    hook('post-checkout');
    return { argv: ['git', 'checkout', '-b', 'next'] };
  },
  'core.hooksPath: a hook after a change of the index': () => {
    hook('post-index-change');
    put(join(repository, 'b.txt'), 'b\n');
    return { argv: ['git', 'add', 'b.txt'] };
  },
  'core.hooksPath: a hook in the folder that the configuration names': () => {
    git('config', 'core.hooksPath', '.husky');
    put(join(repository, '.husky', 'pre-commit'), readFileSync(evil, 'utf8'));
    return { argv: ['git', 'commit', '--allow-empty', '-m', 'next'] };
  },
  'protocol.ext.allow: a program as a remote': () => {
    git('config', 'protocol.ext.allow', 'always');
    git('remote', 'add', 'origin', `ext::${evil}`);
    return { argv: ['git', 'fetch', 'origin'] };
  },
  'gc.auto: a collection of garbage': () => {
    git('repack', '-q');
    commit('b.txt');
    git('repack', '-q');
    git('config', 'gc.auto', '1');
    git('config', 'gc.autoPackLimit', '1');
    return { argv: ['git', 'gc', '--auto'], succeeded: () => packs() === 1 };
  },
  'maintenance.auto: maintenance after a commit': () => {
    git('config', 'maintenance.auto', 'true');
    git('config', 'maintenance.autoDetach', 'false');
    git('config', 'maintenance.commit-graph.enabled', 'true');
    git('config', 'maintenance.commit-graph.auto', '-1');
    const graphs = inStore('objects', 'info', 'commit-graphs');
    return { argv: ['git', 'commit', '--allow-empty', '-m', 'next'], succeeded: () => existsSync(graphs) };
  },
  'GIT_OPTIONAL_LOCKS: a change of the index by git status': () => {
    utimesSync(join(repository, 'a.txt'), 1_000, 1_000);
    const before = readFileSync(inStore('index'));
    return { argv: ['git', 'status'], succeeded: () => !readFileSync(inStore('index')).equals(before) };
  },
  'GIT_EDITOR: an editor': () => {
    git('config', 'core.editor', evil);
    return { argv: ['git', 'commit', '--amend'] };
  },
  'GIT_SEQUENCE_EDITOR: an editor of a rebase': () => {
    git('config', 'sequence.editor', evil);
    return { argv: ['git', 'rebase', '-i', '--root'] };
  },
};

describe('Git in a repository that the file tools cannot write', () => {
  it.each(Object.entries(ATTACKS))('%s does not happen', async (_name, prepare) => {
    const { argv, succeeded = ran } = prepare();
    rmSync(marker, { force: true });
    const result = await exec(argv, repository);
    expect([result.output, succeeded()]).toEqual([result.output, false]);
  });

  it.each(Object.entries(ATTACKS))('%s happens without the settings', (_name, prepare) => {
    const { argv, succeeded = ran } = prepare();
    rmSync(marker, { force: true });
    git(...argv.slice(1));
    expect(succeeded()).toBe(true);
  });

  it('GIT_PAGER: takes no pager of the configuration', async () => {
    git('config', 'core.pager', evil);
    expect(git('var', 'GIT_PAGER').stdout).toBe(`${evil}\n`);
    expect((await exec(['git', 'var', 'GIT_PAGER'])).output).toContain('cat\n');
  });

  it('GIT_TERMINAL_PROMPT: asks for no password', async () => {
    const ask = 'printf "protocol=https\\nhost=example.invalid\\n" | git credential fill';
    expect((await exec(['/bin/sh', '-c', ask])).output).toContain('terminal prompts disabled');
  });
});

describe('a configuration that is too large to check', () => {
  const LARGE = `# ${'x'.repeat(1024 * 1024)}\n`;
  const tooMany = (path: string) => `${path} has more than 1048576 bytes, too many to check what it includes`;

  it('of a repository makes Git refuse it, and the reason names the size', async () => {
    put(inStore('config'), readFileSync(inStore('config'), 'utf8') + LARGE);
    const { error_code, output } = await exec(['git', 'status']);
    expect(error_code).toBe('exit_code');
    expect(output).toContain(`Git refuses this repository: ${tooMany(inStore('config'))}`);
    expect(output).not.toContain('a chat could write');
  });

  it('of the user is not read, and the reason names the size', async () => {
    const path = join(home, '.gitconfig');
    put(path, IDENTITY + LARGE);
    const { output } = await exec(['git', 'config', 'user.name']);
    expect(output).toContain(`Git did not read the user's configuration: ${tooMany(path)}`);
  });
});

describe('the table of docs/policy.md', () => {
  it('lists at least the settings that keep a configuration from running programs', () => {
    const names = SETTINGS.map(([name]) => name);
    expect(names).toEqual(expect.arrayContaining(['safe.bareRepository', 'core.fsmonitor', 'core.hooksPath']));
    expect(names).toEqual(expect.arrayContaining(['protocol.ext.allow', 'gc.auto', 'maintenance.auto']));
  });

  it.each(SETTINGS)('%s is %s for Git, before what the repository says', async (name = '', value = '') => {
    git('config', name, 'true');
    const { output } = await exec(['git', 'config', '--show-scope', '--get-all', name]);
    expect(output.trim().split('\n').at(-1)).toBe(`command\t${value}`);
  });

  it('lists exactly the settings that Git is given', async () => {
    const { output } = await exec(['git', 'config', '--show-scope', '--list']);
    const given = output.split('\n').flatMap((line) => (line.startsWith('command\t') ? [line.slice(8)] : []));
    const expected = SETTINGS.map(([name = '', value = '']) => `${name.toLowerCase()}=${value}`);
    expect(given.map((line) => line.trim()).sort()).toEqual(expected.sort());
  });

  it('lists exactly the variables of Git that programs get', async () => {
    const { output } = await exec(['env']);
    const given = output.split('\n').filter((line) => /^GIT_(?!CONFIG_(COUNT|KEY|VALUE))/.test(line));
    expect(given.sort()).toEqual(VARIABLES.map(([name, value]) => `${name}=${value}`).sort());
  });
});
