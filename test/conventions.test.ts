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
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const MAX_CODE_LINES = 400;
const MAX_TEST_CODE_LINES = 600;

const ROOMS = ['schema', 'durable-objects', 'workers', 'local-agent', 'extension', 'test'];
const sources = ROOMS.filter((room) => existsSync(join(root, room)))
  .flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((path) => join(room, path)),
  )
  .filter((path) => path.endsWith('.ts') && !path.startsWith('test/fixtures/'));

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('who may import what', () => {
  const trees: string[] = [];
  afterAll(() => {
    for (const tree of trees) rmSync(tree, { recursive: true });
  });

  /** Every target a planted import may name exists, so that no case passes by being unresolvable. */
  const TARGETS = [
    'schema/ids.ts',
    'schema/contracts/tasks.ts',
    'schema/domain/lease.ts',
    'schema/tables/tasks.ts',
    'durable-objects/index.ts',
    'durable-objects/stubs.ts',
    'durable-objects/leader-lease/lease-store.ts',
    'workers/app.ts',
    'local-agent/cli.ts',
    'extension/background.ts',
    'test/support/builders.ts',
  ];

  const rulesBroken = async (from: string, source: string): Promise<string[]> => {
    const tree = mkdtempSync(join(tmpdir(), 'conductor-imports-'));
    trees.push(tree);
    const plant = (path: string, text: string): void => {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    };
    for (const target of TARGETS) plant(target, 'export const value = 1;\nexport type Value = number;\n');
    plant(from, source);
    const options = await extractDepcruiseOptions(join(root, '.dependency-cruiser.mjs'));
    const { output } = await cruise(['.'], { ...options, baseDir: tree });
    const { summary } = output as ICruiseResult;
    // npm packages are not installed in the planted tree.
    return summary.violations.map((violation) => violation.rule.name).filter((name) => name !== 'no-unresolvable');
  };

  const FORBIDDEN: [from: string, module: string, rule: string][] = [
    ['schema/errors.ts', './domain/lease.ts', 'schema-kernel'],
    ['schema/errors.ts', 'hono', 'schema-kernel'],
    ['schema/contracts/runs.ts', '../domain/lease.ts', 'schema-contracts'],
    ['schema/contracts/runs.ts', 'node:crypto', 'schema-contracts'],
    ['schema/contracts/runs.ts', 'cloudflare:workers', 'schema-contracts'],
    ['schema/domain/mode.ts', '../tables/tasks.ts', 'schema-domain'],
    ['schema/domain/mode.ts', '../../workers/app.ts', 'schema-domain'],
    ['schema/domain/mode.ts', 'drizzle-orm', 'schema-domain'],
    ['schema/tables/runs.ts', '../domain/lease.ts', 'schema-tables'],
    ['durable-objects/node-hub.ts', '../workers/app.ts', 'durable-objects'],
    ['durable-objects/node-hub.ts', '../local-agent/cli.ts', 'durable-objects'],
    ['durable-objects/node-hub.ts', 'hono', 'durable-objects'],
    ['workers/routes/runs.ts', '../../durable-objects/leader-lease/lease-store.ts', 'workers'],
    ['workers/routes/runs.ts', '../../local-agent/cli.ts', 'workers'],
    ['workers/routes/runs.ts', 'node:fs', 'workers'],
    ['local-agent/edge/channel.ts', '../../schema/tables/tasks.ts', 'local-agent-rooms'],
    ['local-agent/edge/channel.ts', '../../workers/app.ts', 'local-agent-rooms'],
    ['local-agent/edge/channel.ts', '../../durable-objects/stubs.ts', 'local-agent-rooms'],
    ['local-agent/edge/channel.ts', '../../extension/background.ts', 'local-agent-rooms'],
    ['local-agent/edge/channel.ts', 'drizzle-orm/d1', 'local-agent-packages'],
    ['local-agent/edge/channel.ts', 'hono/tiny', 'local-agent-http-server'],
    ['local-agent/bridge/server.ts', '@hono/node-server', 'local-agent-http-server'],
    ['local-agent/local-api/app.ts', '@hono/zod-validator', 'local-agent-packages'],
    ['local-agent/edge/channel.ts', 'miniflare', 'local-agent-stack-tools'],
    ['local-agent/edge/channel.ts', 'node:fs', 'local-agent-files'],
    ['local-agent/run-files/journal.ts', 'node:fs/promises', 'local-agent-files'],
    ['local-agent/run-files/journal.ts', 'fs', 'local-agent-files'],
    ['local-agent/commands/doctor.ts', 'node:os', 'local-agent-files'],
    ['local-agent/host/git.ts', 'node:child_process', 'local-agent-processes'],
    ['local-agent/deps.ts', 'node:child_process', 'local-agent-processes'],
    ['extension/sites/chat.ts', '../../workers/app.ts', 'extension'],
    ['extension/sites/chat.ts', '../../schema/tables/tasks.ts', 'extension'],
    ['extension/sites/chat.ts', 'node:path', 'extension'],
    ['workers/routes/runs.ts', '../../test/support/builders.ts', 'nothing-imports-test'],
  ];

  const SPELLINGS: [kind: string, (module: string) => string][] = [
    ['value', (module) => `import { value } from '${module}';\nexport const used = value;\n`],
    ['type-only', (module) => `import type { Value } from '${module}';\nexport type Used = Value;\n`],
    ['re-export', (module) => `export type { Value } from '${module}';\n`],
    ['dynamic', (module) => `export const load = () => import('${module}');\n`],
  ];

  describe.each(SPELLINGS)('%s imports', (_kind, spell) => {
    it.each(FORBIDDEN)('%s may not import %s', async (from, module, rule) => {
      expect(await rulesBroken(from, spell(module))).toContain(rule);
    });
  });

  it.each([
    ['schema/domain/mode.ts', ['zod', 'ulid', 'canonicalize', '../ids.ts', '../contracts/tasks.ts', './lease.ts']],
    ['schema/tables/runs.ts', ['drizzle-orm/sqlite-core', '../contracts/tasks.ts', './tasks.ts']],
    ['durable-objects/node-hub.ts', ['cloudflare:workers', 'drizzle-orm', '../schema/domain/lease.ts', './stubs.ts']],
    ['workers/routes/runs.ts', ['hono', 'jose', '../../schema/tables/tasks.ts', '../../durable-objects/stubs.ts']],
    ['local-agent/host/fs.ts', ['node:fs', 'node:os', 'ws', '../../schema/contracts/tasks.ts']],
    ['local-agent/local-api/app.ts', ['hono', 'hono/body-limit', '@hono/node-server', 'node:http']],
    ['local-agent/worker-runner/spawn.ts', ['node:child_process']],
    ['local-agent/stack/edge.ts', ['miniflare', 'esbuild', 'node:child_process', 'node:fs/promises']],
    ['extension/sites/chat.ts', ['zod', '../../schema/domain/lease.ts', '../background.ts']],
    ['extension/build.ts', ['node:fs', 'esbuild']],
  ])('%s may import what its room allows', async (from, modules) => {
    const source = modules.map((module, n) => `import { value as v${n} } from '${module}';\nvoid v${n};\n`).join('');
    expect(await rulesBroken(from, source)).toEqual([]);
  });

  // The parser behind the rules does not see this spelling, so nobody may use it across files.
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
