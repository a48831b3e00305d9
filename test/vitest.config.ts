import { fileURLToPath } from 'node:url';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { ensurePage } from '../local-agent/stack/page-build.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const MINUTE_MS = 60_000;
/** `expect.poll` waits for an event, on a busy machine as well: its default of a second would measure speed. */
const WAITING = { expect: { poll: { timeout: MINUTE_MS, interval: 20 } } };
/** Tests with random inputs: fuzz tests and models. */
const RANDOMIZED = ['test/unit/**/*.fuzz.test.ts', 'test/unit/**/*-model.test.ts'];
/** Unit tests that start real programs, or wait for real time: git, shells, the agent's own watchdogs. */
const WITH_PROGRAMS = [
  'test/unit/agent/effect-evidence.test.ts',
  'test/unit/agent/host/{descriptors,path-levels,process-start,submodules,watchdog}.test.ts',
  'test/unit/agent/instructions/{crash,decisions,progress-reports}.test.ts',
  'test/unit/agent/policy/{documented-policy,git-settings}.test.ts',
  'test/unit/agent/{checkpoints,worktrees}/*.test.ts',
  'test/unit/agent/tasks/node-runs*.test.ts',
  'test/unit/agent/runner/runner*.test.ts',
  'test/unit/agent/service/{managers,unit-file}.test.ts',
  'test/unit/agent/stack/{deploy-program,heartbeat,require-stopped,unusable-root}.test.ts',
  'test/unit/agent/tools/{exec,files-search,ignored-files,patch-hunks}.test.ts',
  'test/unit/agent/worker-runner/*.test.ts',
];

// Projects with another number of workers need another group, and the groups run one after the other.
/** The default leaves one core idle. */
const EVERY_CORE = { maxWorkers: '100%', sequence: { groupOrder: 0 } } as const;
/** Whole systems and browsers, which wait for each other most of the time. More of them at once need more memory. */
const TWO_SYSTEMS = { maxWorkers: 2, sequence: { groupOrder: 1 } } as const;

// wrangler reads wrangler.toml once per file and would report each time that a secret is not in it.
process.env.WRANGLER_LOG ??= 'error';
// Times are printed where the reader is.
process.env.TZ = 'UTC';

// No retries and no time limits that measure speed: a test that needs either is a bug report. `.ci/run` runs a file that
// failed a second time, and names the tests that passed only then as unstable.
export default defineConfig({
  root,
  test: {
    projects: [
      {
        root,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: [...RANDOMIZED, ...WITH_PROGRAMS, 'test/unit/extension/**'],
          ...EVERY_CORE,
          environment: 'node',
          ...WAITING,
          testTimeout: MINUTE_MS,
        },
      },
      {
        root,
        test: {
          name: 'extension',
          include: ['test/unit/extension/**/*.test.ts'],
          exclude: RANDOMIZED,
          ...EVERY_CORE,
          environment: 'node',
          ...WAITING,
          testTimeout: MINUTE_MS,
        },
      },
      {
        root,
        test: {
          name: 'programs',
          include: WITH_PROGRAMS,
          ...EVERY_CORE,
          environment: 'node',
          ...WAITING,
          testTimeout: MINUTE_MS,
        },
      },
      {
        root,
        // Many random cases each: apart, so that the unit tests stay fast.
        test: {
          name: 'fuzz',
          include: RANDOMIZED,
          ...EVERY_CORE,
          environment: 'node',
          ...WAITING,
          testTimeout: MINUTE_MS,
        },
      },
      {
        root,
        test: {
          name: 'conventions',
          include: ['test/conventions.test.ts'],
          ...EVERY_CORE,
          environment: 'node',
          ...WAITING,
          testTimeout: MINUTE_MS,
          hookTimeout: MINUTE_MS,
        },
      },
      {
        root,
        plugins: [
          cloudflareTest(async () => {
            await ensurePage(() => undefined);
            return {
              wrangler: { configPath: `${root}wrangler.toml` },
              miniflare: {
                bindings: {
                  TEST_MIGRATIONS: await readD1Migrations(`${root}schema/migrations`),
                  BAA_BOOTSTRAP_TOKEN: 'test-bootstrap-token-long-enough',
                },
                r2Buckets: ['TEST_BUCKET'],
              },
            };
          }),
        ],
        test: {
          name: 'workers',
          include: ['test/workers/**/*.test.ts'],
          ...EVERY_CORE,
          setupFiles: ['test/workers/setup.ts'],
          globalSetup: ['test/workers/receiver.ts'],
          ...WAITING,
          testTimeout: MINUTE_MS,
          hookTimeout: MINUTE_MS,
        },
      },
      {
        root,
        // Real processes, each file with its own roots and free ports.
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          environment: 'node',
          ...WAITING,
          ...TWO_SYSTEMS,
          testTimeout: 5 * MINUTE_MS,
          hookTimeout: 5 * MINUTE_MS,
        },
      },
      {
        root,
        // The real coding agents, where `npm ci` in test/agents has installed them: one file at a time.
        test: {
          name: 'agents',
          include: ['test/agents/**/*.test.ts'],
          environment: 'node',
          fileParallelism: false,
          testTimeout: 5 * MINUTE_MS,
          hookTimeout: MINUTE_MS,
        },
      },
      {
        root,
        // The inspector and the conformance suite of MCP, where `npm ci` in test/mcp has installed them.
        test: {
          name: 'mcp',
          include: ['test/mcp/**/*.test.ts'],
          environment: 'node',
          ...WAITING,
          ...TWO_SYSTEMS,
          testTimeout: 5 * MINUTE_MS,
          hookTimeout: 5 * MINUTE_MS,
        },
      },
      {
        root,
        // A real Firefox with the extension, on copies of the chat sites.
        test: {
          name: 'firefox',
          include: ['test/firefox/**/*.test.ts'],
          environment: 'node',
          ...WAITING,
          ...TWO_SYSTEMS,
          testTimeout: 5 * MINUTE_MS,
          hookTimeout: 5 * MINUTE_MS,
        },
      },
    ],
  },
});
