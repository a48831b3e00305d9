/**
 * Conventions as tests: the import rules really fire (a cruiser that reads nothing reports nothing), files stay small,
 * decisions stay pure, versions stay pinned. Registries of the rooms have their convention tests beside them in test/unit.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ICruiseResult } from 'dependency-cruiser';
import { cruise } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND_STATES } from '../schema/contracts/commands.ts';
import { INSTRUCTION_STATES } from '../schema/contracts/instructions.ts';
import { JOB_STATUSES } from '../schema/contracts/renewal.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const MAX_CODE_LINES = 400;
const MAX_TEST_CODE_LINES = 600;

/** Words that make a reader look twice. */
const UNPLAIN_WORDS =
  /\b(?:told|tells|anew|whoever|whatever|stands|stood|standing|goes on|nobody|elsewhere|so long as|of its own accord|none other)\b/gi;

const ROOMS = ['schema', 'durable-objects', 'workers', 'local-agent', 'extension', 'test'];
const sources = ROOMS.filter((room) => existsSync(join(root, room)))
  .flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((path) => join(room, path)),
  )
  .filter((path) => /[.]tsx?$/.test(path) && !path.startsWith('test/fixtures/') && !path.includes('node_modules'));

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('who may import what', () => {
  const trees: string[] = [];
  afterAll(() => {
    for (const tree of trees) rmSync(tree, { recursive: true });
  });

  /** Every planted import of ours names one of these files, so that no case passes by being unresolvable. */
  const TARGETS = [
    'schema/ids.ts',
    'schema/contracts/common.ts',
    'schema/domain/lease.ts',
    'schema/tables/identity.ts',
    'durable-objects/index.ts',
    'durable-objects/stubs.ts',
    'durable-objects/leader-lease/lease-store.ts',
    'workers/app.ts',
    'local-agent/agent.ts',
    'local-agent/bridge/session.ts',
    'local-agent/browsers/clients.ts',
    'local-agent/commands/main.ts',
    'local-agent/delivery/manager.ts',
    'local-agent/instructions/pipeline.ts',
    'workers/auth/authenticate.ts',
    'workers/page/app.tsx',
    'workers/page/build/main.ts',
    'workers/auth/ownership.ts',
    'workers/crypto/hash.ts',
    'workers/db/plan.ts',
    'workers/http/paging.ts',
    'workers/http/route.ts',
    'workers/instructions/finish.ts',
    'workers/messages/ingest.ts',
    'workers/messages/messages.routes.ts',
    'workers/nodes/push.ts',
    'workers/renewal/links.ts',
    'workers/renewal/projector.job.ts',
    'workers/system/mode.ts',
    'workers/timed-jobs/tick-log.ts',
    'local-agent/cli.ts',
    'local-agent/firefox/find.ts',
    'extension/background/background.ts',
    'extension/content/look.ts',
    'extension/overlay/theme.ts',
    'extension/sites/chatgpt/wire.ts',
    'extension/sites/claude/wire.ts',
    'extension/messages.ts',
    'test/support/builders.ts',
  ];

  /** The broken rules of a tree with these files beside TARGETS, as `from to rule`. */
  const rulesBroken = async (files: Record<string, string>): Promise<string[]> => {
    const tree = mkdtempSync(join(tmpdir(), 'conductor-imports-'));
    trees.push(tree);
    const targets = TARGETS.map((path) => [path, 'export const value = 1;\nexport type Value = number;\n']);
    for (const [path = '', text = ''] of [...targets, ...Object.entries(files)]) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    const options = await extractDepcruiseOptions(join(root, '.dependency-cruiser.mjs'));
    const { output } = await cruise(['.'], { ...options, baseDir: tree });
    const { summary } = output as ICruiseResult;
    // npm packages are not installed in the planted tree.
    return summary.violations
      .filter(({ rule }) => rule.name !== 'no-unresolvable')
      .map(({ from, to, rule }) => `${from} ${to} ${rule.name}`);
  };

  const FORBIDDEN: [from: string, module: string, rule: string][] = [
    ['schema/errors.ts', './domain/lease.ts', 'schema-kernel'],
    ['schema/errors.ts', 'hono', 'schema-kernel'],
    ['schema/contracts/planted.ts', '../domain/lease.ts', 'schema-contracts'],
    ['schema/contracts/planted.ts', 'node:crypto', 'schema-contracts'],
    ['schema/contracts/planted.ts', 'cloudflare:workers', 'schema-contracts'],
    ['schema/domain/planted.ts', '../tables/identity.ts', 'schema-domain'],
    ['schema/domain/planted.ts', '../../workers/app.ts', 'schema-domain'],
    ['schema/domain/planted.ts', 'drizzle-orm', 'schema-domain'],
    ['schema/tables/planted.ts', '../domain/lease.ts', 'schema-tables'],
    ['durable-objects/planted.ts', '../workers/app.ts', 'durable-objects'],
    ['durable-objects/planted.ts', '../local-agent/cli.ts', 'durable-objects'],
    ['durable-objects/planted.ts', 'hono', 'durable-objects'],
    ['workers/system/planted.routes.ts', '../../durable-objects/leader-lease/lease-store.ts', 'workers'],
    ['workers/system/planted.routes.ts', '../../local-agent/cli.ts', 'workers'],
    ['workers/system/planted.routes.ts', 'node:fs', 'workers'],
    ['workers/system/planted.routes.ts', '../app.ts', 'workers-composition'],
    ['workers/system/planted.routes.ts', '../messages/messages.routes.ts', 'workers-entries'],
    ['workers/backend.ts', './renewal/projector.job.ts', 'workers-entries'],
    ['workers/system/planted.routes.ts', '../page/app.tsx', 'workers-page-apart'],
    ['workers/page/planted.ts', '../auth/authenticate.ts', 'workers-page'],
    ['workers/page/planted.ts', '../../schema/tables/identity.ts', 'workers-page'],
    ['workers/page/planted.ts', 'hono', 'workers-page'],
    ['workers/page/planted.ts', './build/main.ts', 'workers-page'],
    ['workers/page/build/planted.ts', '../app.tsx', 'workers-page-build'],
    ['workers/crypto/planted.ts', '../auth/ownership.ts', 'workers-crypto'],
    ['workers/db/planted.ts', '../instructions/finish.ts', 'workers-db'],
    ['workers/auth/planted.ts', '../http/route.ts', 'workers-auth'],
    ['workers/http/planted.ts', '../nodes/push.ts', 'workers-http'],
    ['workers/nodes/planted.ts', '../renewal/links.ts', 'workers-nodes'],
    ['workers/nodes/planted.ts', '../http/route.ts', 'workers-operations'],
    ['workers/nodes/planted.ts', '../auth/authenticate.ts', 'workers-operations'],
    ['workers/timed-jobs/planted.ts', '../renewal/links.ts', 'workers-timed-jobs'],
    ['workers/renewal/planted.ts', '../system/mode.ts', 'workers-renewal'],
    ['workers/system/planted.ts', '../instructions/finish.ts', 'workers-system'],
    ['workers/instructions/planted.ts', '../messages/ingest.ts', 'workers-instructions'],
    ['local-agent/edge/planted.ts', '../../schema/tables/identity.ts', 'local-agent-rooms'],
    ['local-agent/edge/planted.ts', '../../workers/app.ts', 'local-agent-rooms'],
    ['local-agent/edge/planted.ts', '../../durable-objects/stubs.ts', 'local-agent-rooms'],
    ['local-agent/edge/planted.ts', 'drizzle-orm/d1', 'local-agent-packages'],
    ['local-agent/edge/planted.ts', 'miniflare', 'local-agent-stack-tools'],
    ['local-agent/edge/planted.ts', 'node:fs', 'local-agent-files'],
    ['local-agent/edge/planted.ts', 'fs/promises', 'local-agent-files'],
    ['local-agent/commands/planted.ts', 'node:os', 'local-agent-files'],
    ['local-agent/host/planted.ts', 'node:child_process', 'local-agent-processes'],
    ['local-agent/delivery/planted.ts', '../instructions/pipeline.ts', 'local-agent-folders'],
    ['local-agent/instructions/planted.ts', '../delivery/manager.ts', 'local-agent-folders'],
    ['local-agent/browsers/planted.ts', '../bridge/session.ts', 'local-agent-folders'],
    ['local-agent/bridge/planted.ts', '../agent.ts', 'local-agent-folders'],
    ['local-agent/new-folder/planted.ts', '../browsers/clients.ts', 'local-agent-folders'],
    ['local-agent/log.ts', './commands/main.ts', 'local-agent-composition'],
    ['local-agent/edge/channel.ts', 'hono/tiny', 'local-agent-http-server'],
    ['local-agent/bridge/server.ts', '@hono/node-server', 'local-agent-http-server'],
    ['local-agent/local-api/app.ts', '@hono/zod-validator', 'local-agent-packages'],
    ['local-agent/deps.ts', 'node:child_process', 'local-agent-processes'],
    ['local-agent/firefox/planted.ts', '../commands/main.ts', 'local-agent-folders'],
    ['local-agent/delivery/planted.ts', '../firefox/find.ts', 'local-agent-folders'],
    ['extension/lib/planted.ts', '../../local-agent/cli.ts', 'extension'],
    ['extension/lib/planted.ts', '../../schema/tables/identity.ts', 'extension'],
    ['extension/lib/planted.ts', 'node:fs', 'extension'],
    ['extension/lib/planted.ts', 'hono', 'extension'],
    ['extension/lib/planted.ts', '../content/look.ts', 'extension-sides'],
    ['extension/background/planted.ts', '../content/look.ts', 'extension-sides'],
    ['extension/content/planted.ts', '../background/background.ts', 'extension-sides'],
    ['extension/background/planted.ts', '../sites/chatgpt/wire.ts', 'extension-sites'],
    ['extension/sites/gemini/planted.ts', '../claude/wire.ts', 'extension-sites-apart'],
    ['extension/sites/gemini/planted.ts', '../../messages.ts', 'extension-sites-apart'],
    ['extension/build/planted.ts', '../background/background.ts', 'extension-build'],
    ['workers/system/planted.ts', '../../test/support/builders.ts', 'nothing-imports-test'],
  ];

  /** The import number `n` of a file, so that one file can hold all of its cases. */
  const SPELLINGS: [kind: string, (module: string, n: number) => string][] = [
    ['value', (module, n) => `import { value as v${n} } from '${module}';\nexport const used${n} = v${n};\n`],
    ['type-only', (module, n) => `import type { Value as V${n} } from '${module}';\nexport type Used${n} = V${n};\n`],
    ['re-export', (module, n) => `export type { Value as V${n} } from '${module}';\n`],
    ['dynamic', (module, n) => `export const load${n} = () => import('${module}');\n`],
  ];

  describe.each(SPELLINGS)('%s imports', (_kind, spell) => {
    let broken: string[];
    beforeAll(async () => {
      const files = Map.groupBy(FORBIDDEN, ([from]) => from);
      const texts = [...files].map(([from, cases]) => [from, cases.map(([, module], n) => spell(module, n)).join('')]);
      broken = await rulesBroken(Object.fromEntries(texts));
    });

    it.each(FORBIDDEN)('%s may not import %s', (from, module, rule) => {
      const to = module.startsWith('.') ? join(dirname(from), module) : module.replace(/^node:/, '');
      expect(broken).toContain(`${from} ${to} ${rule}`);
    });

    it('two files may not import each other', async () => {
      const cycle = await rulesBroken({
        'schema/domain/one.ts': `${spell('./two.ts', 0)}export const value = 1;\nexport type Value = number;\n`,
        'schema/domain/two.ts': `${spell('./one.ts', 0)}export const value = 1;\nexport type Value = number;\n`,
      });
      expect(cycle.join()).toContain('no-cycle');
    });
  });

  it.each([
    ['schema/domain/planted.ts', ['zod', 'ulid', 'canonicalize', '../ids.ts', '../contracts/common.ts', './lease.ts']],
    ['schema/tables/planted.ts', ['drizzle-orm/sqlite-core', '../contracts/common.ts', './identity.ts']],
    ['durable-objects/planted.ts', ['cloudflare:workers', 'drizzle-orm', '../schema/domain/lease.ts', './stubs.ts']],
    [
      'workers/nodes/planted.routes.ts',
      ['hono', 'jose', '../../schema/tables/identity.ts', '../../durable-objects/stubs.ts', '../messages/ingest.ts'],
    ],
    ['workers/messages/planted.ts', ['../http/paging.ts', '../auth/ownership.ts', '../db/plan.ts', '../nodes/push.ts']],
    ['workers/renewal/planted.job.ts', ['../timed-jobs/tick-log.ts', '../instructions/finish.ts']],
    ['workers/routes.ts', ['./messages/messages.routes.ts']],
    ['workers/timed-jobs/registry.ts', ['../renewal/projector.job.ts']],
    ['local-agent/host/planted.ts', ['node:fs', 'node:os', 'ws', '../../schema/contracts/common.ts']],
    ['local-agent/worker-runner/planted.ts', ['node:child_process']],
    ['local-agent/stack/planted.ts', ['miniflare', 'esbuild', 'node:child_process', 'node:fs/promises']],
    ['local-agent/delivery/planted.ts', ['../browsers/clients.ts']],
    ['local-agent/commands/planted.ts', ['../agent.ts']],
    ['local-agent/local-api/app.ts', ['hono', 'hono/body-limit', '@hono/node-server', 'node:http']],
  ])('%s may import what its room allows', async (from, modules) => {
    const source = modules.map((module, n) => `import { value as v${n} } from '${module}';\nvoid v${n};\n`).join('');
    expect(await rulesBroken({ [from]: source })).toEqual([]);
  });

  // By name, because the rules above know modules only.
  it('only workers/nodes/push.ts imports the stub of a node', () => {
    const imported = /import \{[^}]*\bnodeHub\b[^}]*\} from '[^']*durable-objects\/stubs\.ts'/;
    const importers = sources.filter((path) => path.startsWith('workers/') && imported.test(read(path)));
    expect(importers).toEqual(['workers/nodes/push.ts']);
  });

  // The parser behind the rules does not see this spelling of an import.
  it('no file names a type by inline import', () => {
    const offenders = sources
      .filter((path) => !path.endsWith('.d.ts') && path !== 'test/conventions.test.ts')
      .filter((path) =>
        /(?<!await\s)\bimport\(\s*['"][^'"]+['"]\s*\)\.(?!then\b|catch\b|finally\b)|typeof import\(/.test(read(path)),
      );
    expect(offenders).toEqual([]);
  });
});

describe('sizes', () => {
  const codeLines = (text: string): number =>
    text
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .split('\n')
      .filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;

  it(`code files keep to ${MAX_CODE_LINES} lines, test files to ${MAX_TEST_CODE_LINES}`, () => {
    const tooLong = sources
      .map((path) => ({ path, lines: codeLines(read(path)) }))
      .filter(({ path, lines }) => lines > (path.startsWith('test/') ? MAX_TEST_CODE_LINES : MAX_CODE_LINES));
    expect(tooLong).toEqual([]);
  });
});

describe('purity', () => {
  it('decisions take time and chance as arguments', () => {
    const impure = sources
      .filter((path) => path.startsWith('schema/domain/'))
      .filter((path) => /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.|\bulid\(\)/.test(read(path)));
    expect(impure).toEqual([]);
  });
});

describe('waiting', () => {
  it('tests wait with a limit that a busy machine keeps', () => {
    const hasty = /\bvi\.wait(?:For|Until)\(/;
    const offenders = sources.filter((path) => path.startsWith('test/') && hasty.test(read(path)));
    expect(offenders, 'vi.waitFor gives up after a second; use expect.poll').toEqual([]);
  });
});

describe('statuses', () => {
  const others: readonly string[] = [...JOB_STATUSES, ...COMMAND_STATES];
  const ofInstructions = INSTRUCTION_STATES.filter((status) => !others.includes(status));

  it('SQL of the edge takes instruction statuses from status-sql.ts, where they derive from the domain', () => {
    const compared = new RegExp(
      `(?:\\bIN\\s*\\((?:'\\w+',\\s*)*|(?<![=!])=\\s*|<>\\s*)'(?:${ofInstructions.join('|')})'`,
      'i',
    );
    const offenders = sources
      .filter((path) => path.startsWith('workers/') && path !== 'workers/db/status-sql.ts')
      .filter((path) => compared.test(read(path)));
    expect(offenders).toEqual([]);
  });
});

describe('dependencies', () => {
  it('are pinned exactly', () => {
    const manifest: Record<string, Record<string, string>> = JSON.parse(read('package.json'));
    const versions = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.entries(manifest[kind] ?? {}),
    );
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it('are locked without naming a registry host', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
  });
});

describe('the pages', () => {
  const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'].concat(
    readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  );

  it.each(pages)('%s names no file that is not there', (page) => {
    const text = read(page).replace(/^```[\s\S]*?^```/gm, '');
    const linked = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => join(dirname(page), path));
    const quoted = [...text.matchAll(/`((?:[\w.-]+\/|\.)[\w./-]*\.(?:ts|[cm]?js|json|md|toml|sql))`/g)].map(
      ([, path = '']) => path,
    );
    // Inside a room's own paragraph its files are named from there.
    const exists = (path: string): boolean =>
      ['', 'local-agent', 'workers', 'schema', 'durable-objects'].some((room) => existsSync(join(root, room, path)));
    expect([...linked, ...quoted].filter((path) => !exists(path))).toEqual([]);
  });

  it('pages, comments, titles and messages use plain words', () => {
    const isMigration = (path: string): boolean => /(^|\/)migrations[./]/.test(path);
    const texts = [...pages, 'CHANGELOG.md', ...sources].filter(
      (path) => !isMigration(path) && path !== 'test/conventions.test.ts',
    );
    const found = texts.flatMap((path) =>
      [...read(path).matchAll(UNPLAIN_WORDS)].map(([word]) => `${path}: ${word.toLowerCase()}`),
    );
    expect(found).toEqual([]);
  });

  it('docs/test-matrix.md has all ten guarantees, and for each the sentences of tests that are there', () => {
    const sections = read('docs/test-matrix.md').split(/^## /m).slice(1);
    expect(sections.map((section) => Number.parseInt(section, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const section of sections) {
      const proofs = [...section.matchAll(/^- `(test\/[^`]+)`: (.+)$/gm)];
      expect(proofs.length, section).toBeGreaterThan(1);
      for (const [, path = '', sentence = ''] of proofs) expect(read(path), path).toContain(sentence);
    }
  });
});
