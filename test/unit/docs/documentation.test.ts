/** What the pages show is true of the program: each command parses, each block is what its language says, each link leads somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Execute } from '../../../local-agent/commands/command.ts';
import { UsageError } from '../../../local-agent/commands/exit-codes.ts';
import { createProgram, everyCommand } from '../../../local-agent/commands/main.ts';
import { edgeSettingOptions } from '../../../local-agent/config/flags.ts';
import { resolveConfig } from '../../../local-agent/config/resolve.ts';
import { EdgeError } from '../../../local-agent/edge/http-client.ts';
import { readMessage } from '../../../local-agent/instructions/read-message.ts';
import { createProgram as createDeployProgram } from '../../../local-agent/stack/deploy/main.ts';
import { REPOSITORY } from '../../../local-agent/stack/layout.ts';
import { PolicySchema } from '../../../schema/contracts/policy.ts';
import { TaskCreateBodySchema } from '../../../schema/contracts/tasks.ts';
import { commandWorld } from '../../support/command-deps.ts';
import type { Block } from '../../support/documentation.ts';
import { commandsOf, linkedFile, pagePaths, readPage } from '../../support/documentation.ts';
import { shellWords } from '../../support/shell-words.ts';

const PAGES = pagePaths().map(readPage);
const BLOCKS = PAGES.flatMap(({ blocks }) => blocks);
const SCRIPTS = (JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { scripts: object }).scripts;
const at = ({ page, line }: Block) => `${page}:${line}`;
const inLanguage = (...languages: string[]) => BLOCKS.filter(({ lang }) => languages.includes(lang));

const PATHS = everyCommand().map(({ path }) => path);
const GROUPS = PATHS.map((path) => path.split(' ')[0] ?? '');

/** @throws Error when no command or group begins with these words: commander shows its help for any word before `--help` */
function requireCommand(words: readonly string[]): void {
  const names = words.filter((word) => !word.startsWith('-'));
  const [name = '', verb] = names;
  if (names.length === 0 || PATHS.includes(name) || (GROUPS.includes(name) && verb === undefined)) return;
  if (!PATHS.includes(`${name} ${verb}`)) throw new Error(`there is no command ${name} ${verb ?? ''}`);
}

const AWAY = new EdgeError('network', 0, 'network', 'there is no edge');
/** Commands and groups that only check what they were given, and then call the edge. */
const ASKS_THE_EDGE = [
  ...['run', 'ask', 'pause', 'resume', 'drain', 'audit', 'browsers', 'conversations', 'grants', 'instructions', 'jobs'],
  ...['leader', 'messages', 'nodes', 'notices', 'runs', 'steps', 'tasks', 'ticks', 'tokens'],
];

beforeAll(() => void vi.stubGlobal('fetch', () => Promise.reject(new Error('there is no edge'))));
afterAll(() => void vi.unstubAllGlobals());

/** Checks a command line of `conductor` with the real parser, and with the contract of what it sends; there is no edge. */
async function parseConductor(words: readonly string[]): Promise<void> {
  if (words.includes('--help')) return requireCommand(words);
  const world = commandWorld(() => {
    throw AWAY;
  });
  const execute: Execute = async (command, args) => {
    const path = everyCommand().find((one) => one.command === command)?.path ?? '';
    const [group = ''] = path.split(' ');
    if (!ASKS_THE_EDGE.includes(group) || args.follow === true) return;
    // What it gives the edge is checked against the contract before the edge is called.
    await command.run(args, world.deps).catch((error: unknown) => {
      if (error instanceof UsageError) throw error;
    });
  };
  try {
    await createProgram(world.deps, execute).parseAsync(words, { from: 'user' });
  } catch (error) {
    throw new Error(`${words.join(' ')}: ${world.stderr() || String(error)}`);
  }
}

const START_OPTIONS = [
  '--port',
  '--agent-port',
  '--root',
  '--node-id',
  '--host',
  '--no-agent',
  '--json',
  '--help',
].concat(edgeSettingOptions.map(({ long }) => long ?? ''));

/** What follows `npm run NAME --`. */
async function parseScript(name: string, words: readonly string[]): Promise<void> {
  if (!(name in SCRIPTS)) throw new Error(`package.json has no script ${name}`);
  if (name === 'conductor') await parseConductor(words);
  if (name === 'deploy')
    createDeployProgram()
      .configureOutput({ writeErr: () => undefined })
      .parse(words, { from: 'user' });
  const unknown = words.filter((word) => word.startsWith('--') && !START_OPTIONS.includes(word));
  if (name === 'start' && unknown.length > 0) throw new Error(`npm start has no option ${unknown.join(', ')}`);
}

/** Subcommands of wrangler that exist, with the options that the pages give them. */
const WRANGLER: Record<string, readonly string[]> = {
  login: [],
  tail: ['--env'],
  types: [],
  deploy: ['--env', '--dry-run'],
  rollback: ['--env'],
  'secret put': ['--env'],
  'secret list': ['--env', '--format'],
  'd1 execute': ['--local', '--remote', '--persist-to', '--command', '--json', '--env'],
  'd1 export': ['--remote', '--output', '--env'],
  'd1 migrations apply': ['--local', '--remote', '--env', '--persist-to'],
  'd1 time-travel info': ['--json', '--env'],
  'd1 time-travel restore': ['--bookmark', '--timestamp', '--env'],
};

function checkWrangler(words: readonly string[]): void {
  const known = Object.entries(WRANGLER).find(([name]) => words.join(' ').startsWith(name));
  if (known === undefined) throw new Error(`no such command of wrangler: ${words.join(' ')}`);
  const options = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0] ?? '');
  const unknown = options.filter((option) => !known[1].includes(option));
  if (unknown.length > 0) throw new Error(`wrangler ${known[0]} has no option ${unknown.join(', ')}`);
}

/** Programs that are not ours, and are not checked further. */
const OTHERS = [
  'npm',
  'export',
  'claude',
  'codex',
  'git',
  'openssl',
  'curl',
  'cat',
  'mkdir',
  'umask',
  'echo',
  'ssh',
  'launchctl',
  'systemctl',
  'loginctl',
  'journalctl',
  'cp',
  'rsync',
  'tar',
];

/** The paths of the edge's routes. */
const ROUTES = readdirSync(join(REPOSITORY, 'workers'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.routes.ts'))
  .flatMap((name) => [...readFileSync(join(REPOSITORY, 'workers', name), 'utf8').matchAll(/path: ['"`](\/[^'"`]*)/g)])
  .map(([, path = '']) => path);

/** A call of the edge by curl: its route is there, and a task that it creates fits its contract. */
function checkCurl(words: readonly string[]): void {
  const url = words.find((word) => /^https?:/.test(word)) ?? '';
  const { pathname } = new URL(url);
  if (pathname.startsWith('/v1/') && !ROUTES.includes(pathname)) throw new Error(`the edge has no route ${pathname}`);
  const body = words[words.indexOf('-d') + 1];
  if (pathname === '/v1/tasks' && words.includes('-d')) TaskCreateBodySchema.parse(JSON.parse(body ?? ''));
}

async function checkCommand(command: string): Promise<void> {
  const words = shellWords(command.replace(/\s*[<>]\s*\S+/g, ''));
  while (/^[A-Z_]+=/.test(words[0] ?? '')) words.shift();
  const [program = '', ...rest] = words;
  if (program === 'conductor') return parseConductor(rest);
  if (program === 'curl' && command.includes('/v1/')) return checkCurl(words);
  if (program === 'npx') return rest[0] === 'wrangler' ? checkWrangler(rest.slice(1)) : undefined;
  if (program === 'npm' && ['run', 'start', 'test'].includes(rest[0] ?? '')) {
    const given = rest.filter((word) => word !== '-s');
    const end = given.indexOf('--');
    const [verb = '', named = ''] = given;
    return parseScript(verb === 'run' ? named : verb, end === -1 ? [] : given.slice(end + 1));
  }
  if (!OTHERS.includes(program)) throw new Error(`what is ${program}? add it to the list of programs: ${command}`);
}

const COMMANDS = inLanguage('sh', 'bash').flatMap((block) =>
  commandsOf(block).map((command) => [at(block), command] as const),
);

describe('the commands of the pages', () => {
  it.each(COMMANDS)('%s: %s', async (_where, command) => {
    await checkCommand(command);
  });

  /** Commands in the running text, such as `conductor tasks list`. */
  const inline = PAGES.flatMap(({ path }) => {
    const text = readFileSync(join(REPOSITORY, path), 'utf8').replace(/^\s*(`{3,})[\s\S]*?^\s*\1`*$/gm, '');
    return [...text.matchAll(/`(?:npm run (?:-s )?conductor -- |conductor )([a-z][^`…<|]*)`/g)].map(
      ([, words = '']) => [path, words.replace(/\s+/g, ' ').trim()] as const,
    );
  });

  it.each(inline)('%s names conductor %s, which there is', async (_page, line) => {
    // Options are left out in a sentence, and so is what follows.
    const [name = '', verb] = shellWords(line).filter((word) => !word.startsWith('-'));
    requireCommand(verb === undefined || /^[A-Z]/.test(verb) ? [name] : [name, verb]);
  });

  it.each([
    'conductor taskz list',
    'conductor taskz --help',
    'conductor tasks list --colour',
    `conductor conversations limits --set '{"max_per_days": 20}'`,
    `conductor run 'conductor::exec::{"argv": "ls"}'`,
    'conductor tasks create make --priority high',
    'npm run deploi',
    'curl -s http://127.0.0.1:8787/v1/taskz',
    `curl -d '{"task_type": "shell"}' http://127.0.0.1:8787/v1/tasks`,
    'npm run deploy -- --envv x',
    'npx wrangler d1 exec DB',
    'npm start -- --prot 1',
    'rm -r x',
  ])('a page with "%s" would fail', async (command) => {
    await expect(checkCommand(command)).rejects.toThrow();
  });
});

describe('the other blocks of the pages', () => {
  it.each(inLanguage('json').map((block) => [at(block), block.text] as const))('%s is JSON', (_where, text) => {
    const value: unknown = JSON.parse(text);
    // A block that looks like a policy is one.
    if (typeof value === 'object' && value !== null && 'roots' in value) PolicySchema.parse(value);
  });

  const WORKER = parseToml(readFileSync(join(REPOSITORY, 'wrangler.toml'), 'utf8')) as { vars: object };

  /** Variables of the Worker, or a config.toml. @throws Error for a key that there is not, or a value that is none */
  function checkConfig(text: string): void {
    const keys = Object.keys(parseToml(text));
    if (keys.every((key) => key.startsWith('BAA_'))) {
      expect(Object.keys(WORKER.vars)).toEqual(expect.arrayContaining(keys));
      return;
    }
    const readFile = (path: string) => (path === '/srv/baa/config.toml' ? text : null);
    resolveConfig({ flags: { root: '/srv/baa' }, env: {}, readFile });
  }

  it.each(inLanguage('toml').map((block) => [at(block), block.text] as const))(
    '%s is what the program takes in config.toml, or the Worker as variables',
    (_where, text) => checkConfig(text),
  );

  it.each(['[repoz]\napp = "~/src/app"', 'priority = "high"', '[agents.codex]\ncommand = 5', 'BAA_ACCES_AUD = "x"'])(
    'a page with the TOML %j would fail',
    (text) => {
      expect(() => checkConfig(text)).toThrow();
    },
  );

  const messages = ['README.md', 'README.zh.md', 'docs/start.md', 'docs/start.zh.md'].flatMap((path) =>
    PAGES.filter((page) => page.path === path).flatMap(({ blocks }) =>
      blocks.filter(({ text }) => text.startsWith('```baa')),
    ),
  );

  it.each(messages.map((block) => [at(block), block.text] as const))(
    '%s is a message whose instructions can run',
    (_where, text) => {
      const { instructions, errors } = readMessage(text);
      expect(errors).toEqual([]);
      expect(instructions.length).toBeGreaterThan(0);
    },
  );

  it('every language of a block is known to these tests', () => {
    const known = [
      '',
      'sh',
      'bash',
      'json',
      'toml',
      'sql',
      'baa',
      'mermaid',
      'markdown',
      'yaml',
      'text',
      'ini',
      'http',
      'xml',
    ];
    expect(BLOCKS.filter(({ lang }) => !known.includes(lang)).map(at)).toEqual([]);
    expect(
      inLanguage('sql')
        .map(({ page }) => page)
        .filter((page) => page !== 'docs/d1-queries.md'),
    ).toEqual([]);
  });
});

describe('the links of the pages', () => {
  const local = PAGES.flatMap(({ path, links }) =>
    links.filter(({ url }) => !/^[a-z]+:/.test(url)).map(({ url, line }) => [`${path}:${line}`, url, path] as const),
  );

  it.each(local)('%s leads to %s', (_where, url, page) => {
    const [file = '', anchor] = url.split('#');
    const target = file === '' ? page : linkedFile(page, file);
    expect(existsSync(join(REPOSITORY, target)), target).toBe(true);
    if (anchor === undefined || !target.endsWith('.md')) return;
    expect([...(PAGES.find(({ path }) => path === target)?.anchors ?? [])]).toContain(anchor);
  });

  it('every page of docs is linked by another one', () => {
    const linked = new Set(local.map(([, url, page]) => linkedFile(page, url.split('#')[0] ?? '')));
    expect(PAGES.map(({ path }) => path).filter((path) => path.startsWith('docs/') && !linked.has(path))).toEqual([]);
  });
});

describe('the Chinese pages', () => {
  it.each([
    ['README.md', 'README.zh.md'],
    ['docs/start.md', 'docs/start.zh.md'],
  ])('the commands of %s that %s has are the same', (english, chinese) => {
    const of = (path: string) => BLOCKS.filter(({ page, lang }) => page === path && lang === 'sh').flatMap(commandsOf);
    expect(of(chinese).filter((command) => !of(english).includes(command))).toEqual([]);
    expect(of(chinese).length).toBeGreaterThan(5);
  });
});
