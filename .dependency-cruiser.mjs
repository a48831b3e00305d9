/**
 * Who may import what, type-only imports included: the table of ARCHITECTURE.md as rules.
 * A rule made by `only` lists what a folder may import; anything else is an error.
 * test/conventions.test.ts plants forbidden imports and expects each of these rules to fire, because with TypeScript 7
 * alone dependency-cruiser reads nothing and reports no violation. Hence the swc parser, which treats `import type` like
 * `import`: no cycle is left, type-only ones included.
 */
import swc from '@swc/core';

/** dependency-cruiser gives the parser no syntax for JSX, so files with JSX are marked here by their name. */
const { parseFileSync } = swc;
swc.parseFileSync = (path, options) => parseFileSync(path, { ...options, tsx: path.endsWith('.tsx') });

/** npm packages, whether resolved into node_modules or (in the planted trees of the test) not at all. */
const pkg = (...names) => `^(node_modules/)?(@types/)?(${names.join('|')})(/|$)`;
const KERNEL = '^schema/[^/]+[.]ts$';
const CONTRACTS = '^schema/contracts/';
const DOMAIN = '^schema/domain/';
const SHARED_SCHEMA = [KERNEL, CONTRACTS, DOMAIN];
const NODE_BUILTIN = ['core'];

/** The folders of local-agent/, lowest first, and which others each may import: only folders before it, so no cycle. */
const AGENT_FOLDERS = Object.entries({
  lib: [],
  host: ['lib'],
  'worker-runner': ['lib', 'host'],
  config: ['lib', 'host'],
  store: ['lib', 'host'],
  tools: ['lib', 'host', 'worker-runner'],
  policy: ['lib', 'host', 'config', 'tools'],
  edge: ['lib', 'store'],
  runner: ['lib', 'host', 'worker-runner'],
  runs: ['lib', 'host', 'store', 'runner'],
  executors: ['lib', 'config', 'runner'],
  worktrees: ['lib', 'host', 'worker-runner'],
  checkpoints: ['lib', 'host', 'worker-runner', 'runs', 'worktrees'],
  browsers: ['lib', 'store', 'edge'],
  delivery: ['lib', 'store', 'edge', 'browsers'],
  bridge: ['lib', 'store', 'edge', 'browsers'],
  'local-api': ['lib', 'bridge'],
  tasks: [
    'lib',
    'host',
    'config',
    'store',
    'policy',
    'edge',
    'runner',
    'runs',
    'executors',
    'worktrees',
    'checkpoints',
  ],
  instructions: ['lib', 'host', 'worker-runner', 'store', 'tools', 'policy', 'edge', 'browsers'],
  node: ['lib', 'host', 'config', 'store', 'edge', 'browsers'],
  'timed-jobs-log': ['lib', 'host', 'store', 'edge'],
  firefox: ['lib', 'host', 'store'],
  service: ['lib', 'host', 'config', 'policy'],
  backup: ['lib', 'host', 'config'],
  doctor: ['lib', 'host', 'worker-runner', 'config', 'store', 'policy', 'edge', 'firefox', 'service'],
  commands: [
    'lib',
    'host',
    'config',
    'policy',
    'edge',
    'instructions',
    'node',
    'runs',
    'firefox',
    'service',
    'doctor',
    'backup',
  ],
  stack: ['lib', 'host', 'worker-runner', 'config', 'store', 'policy', 'edge', 'commands'],
});
/** The folders of programs: they also import the files that compose the agent. */
const PROGRAMS = ['commands', 'stack'];

function agentFolder([folder, imports], index) {
  const before = AGENT_FOLDERS.slice(0, index).map(([name]) => name);
  const after = imports.filter((name) => !before.includes(name));
  if (after.length > 0) throw new Error(`local-agent/${folder} is listed before ${after.join(', ')}, which it imports`);
  const allowed = [`^local-agent/(${[folder, ...imports].join('|')})/`];
  return {
    name: 'local-agent-folders',
    comment: `local-agent/${folder} may import: ${imports.join(', ') || 'no other folder'}.`,
    severity: 'error',
    from: { path: `^local-agent/${folder}/` },
    to: { path: '^local-agent/', pathNot: PROGRAMS.includes(folder) ? [...allowed, '^local-agent/[^/]+$'] : allowed },
  };
}
/** The folders of workers/, lowest first: a folder may import those before it. The first four are the kernel. */
const LAYERS = [
  'crypto',
  'db',
  'auth',
  'http',
  'nodes',
  'timed-jobs',
  'notices',
  'renewal',
  'asks',
  'tasks',
  'system',
  'instructions',
  'messages',
  'forget',
  'mcp',
];
const SLICES = LAYERS.slice(4);
/**
 * Entries of a folder: its routes and jobs, and the tick that runs the jobs. Only a registry imports them, so they may
 * import every folder.
 */
const ENTRIES = ['^workers/.*[.](routes|job)[.]ts$', '^workers/timed-jobs/(run-tick|registry)[.]ts$'];
const folders = (names) => `^workers/(${names.join('|')})/`;

const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { pathNot: allowed },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'Files that import each other cannot be read one after the other.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'An import that resolves to nothing hides from every other rule.',
      from: {},
      to: { couldNotResolve: true, pathNot: ['^cloudflare:', '^node:'] },
    },
    {
      name: 'nothing-imports-test',
      severity: 'error',
      comment: 'Product code never depends on tests.',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },

    only(
      'schema-kernel',
      KERNEL,
      [KERNEL, CONTRACTS, pkg('zod', 'ulid', 'canonicalize')],
      'ids, errors, defaults: zod, ulid and canonicalize only.',
    ),
    only(
      'schema-contracts',
      CONTRACTS,
      [KERNEL, CONTRACTS, pkg('zod', 'ulid', 'canonicalize')],
      'The wire: no decisions, no tables, no runtime.',
    ),
    only(
      'schema-domain',
      DOMAIN,
      [...SHARED_SCHEMA, pkg('zod', 'ulid', 'canonicalize')],
      'Pure decisions: time and ids come in as arguments.',
    ),
    only(
      'schema-tables',
      '^schema/tables/',
      [KERNEL, CONTRACTS, '^schema/tables/', pkg('drizzle-orm')],
      'Tables take their enums from the contracts.',
    ),

    only(
      'durable-objects',
      '^durable-objects/',
      ['^schema/', '^durable-objects/', '^cloudflare:', pkg('drizzle-orm', 'zod', 'itty-durable', 'itty-router')],
      'An object knows the schema and its own room.',
    ),
    only(
      'workers',
      '^workers/(?!page/)',
      [
        '^schema/',
        '^workers/(?!page/)',
        '^durable-objects/(index|stubs)[.]ts$',
        '^cloudflare:',
        pkg('hono', 'zod-openapi', 'drizzle-orm', 'jose', 'zod', 'canonicalize', '@modelcontextprotocol/server'),
      ],
      'The edge reaches an object by its stub, never by its internals.',
    ),
    only(
      'workers-page',
      '^workers/page/(?!build/)',
      [...SHARED_SCHEMA, '^workers/page/(?!build/)', pkg('zod', 'preact', 'preact-iso', 'uplot')],
      'The status page runs in browsers: of the repository it knows the contracts and decisions only.',
    ),
    only(
      'workers-page-build',
      '^workers/page/build/',
      ['^workers/page/build/', '^workers/page/shell/frame-html[.]ts$', pkg('vite'), '^(node:)?[a-z_/]+$'],
      'The build of the status page knows the page by its files, and makes the frame a part of the document.',
    ),
    {
      name: 'workers-page-apart',
      comment: 'The page is served as files: no part of the system imports it.',
      severity: 'error',
      from: { path: '^(?!workers/page/|test/)' },
      to: { path: '^workers/page/' },
    },
    ...LAYERS.slice(0, -1).map((folder, layer) => ({
      name: `workers-${folder}`,
      comment: `workers/${folder} may import ${[...LAYERS.slice(0, layer), folder].join(', ')}. Its routes and jobs may import more.`,
      severity: 'error',
      from: { path: folders([folder]), pathNot: ENTRIES },
      to: { path: folders(LAYERS.slice(layer + 1)) },
    })),
    {
      name: 'workers-operations',
      comment:
        'Operations know nothing of requests: of http/ they take pages and the parser, of auth/ the ownership check.',
      severity: 'error',
      from: { path: folders(SLICES), pathNot: ENTRIES },
      to: { path: folders(['http', 'auth']), pathNot: '^workers/(http/(paging|parse)|auth/ownership)[.]ts$' },
    },
    {
      name: 'workers-entries',
      comment: 'Routes are imported by the registry of routes only, jobs by the registry of jobs.',
      severity: 'error',
      from: { path: '^workers/', pathNot: '^workers/(routes|timed-jobs/registry)[.]ts$' },
      to: { path: ENTRIES[0] },
    },
    {
      name: 'workers-composition',
      comment: 'app.ts, backend.ts, index.ts and routes.ts compose the Worker: no folder imports them.',
      severity: 'error',
      from: { path: '^workers/[^/]+/' },
      to: { path: '^workers/(app|backend|index|routes)[.]ts$' },
    },

    {
      name: 'local-agent-rooms',
      severity: 'error',
      comment: 'The agent is deployed apart from the edge: contracts and decisions are all it shares, also by type.',
      from: { path: '^local-agent/' },
      to: { path: '^(schema/tables|schema/migrations|workers|durable-objects)/' },
    },
    ...AGENT_FOLDERS.map(agentFolder),
    {
      name: 'local-agent-folders',
      comment: 'A new folder is added to the list, with what it may import.',
      severity: 'error',
      from: { path: `^local-agent/(?!(${AGENT_FOLDERS.map(([name]) => name).join('|')})/)[^/]+/` },
      to: { path: '^local-agent/' },
    },
    {
      name: 'local-agent-composition',
      comment: 'The files that compose the agent know nothing of the programs that run it.',
      severity: 'error',
      from: { path: '^local-agent/[^/]+$', pathNot: '^local-agent/cli[.]ts$' },
      to: { path: `^local-agent/(${PROGRAMS.join('|')})/` },
    },
    {
      name: 'local-agent-packages',
      severity: 'error',
      comment: 'The libraries of the edge stay on the edge.',
      from: { path: '^local-agent/' },
      to: {
        path: [
          '^cloudflare:',
          pkg('@hono/(?!node-server(/|$))[^/]+', 'drizzle-orm', 'itty-durable', 'itty-router', '@cloudflare/[^/]+'),
        ],
      },
    },
    {
      name: 'local-agent-http-server',
      severity: 'error',
      comment: 'Only the local API is an HTTP server in the agent.',
      from: { path: '^local-agent/', pathNot: '^local-agent/local-api/' },
      to: { path: pkg('hono', '@hono/node-server') },
    },
    {
      name: 'local-agent-stack-tools',
      severity: 'error',
      comment: 'Only the local stack builds and runs the edge.',
      from: { path: '^local-agent/', pathNot: '^local-agent/stack/' },
      to: { path: pkg('miniflare', 'esbuild', 'wrangler', 'workerd') },
    },
    {
      name: 'local-agent-files',
      severity: 'error',
      comment:
        'Files and the system are touched in host/, runs/, runner/, worktrees/, checkpoints/, firefox/, one file of service/ and the composition root only.',
      from: {
        path: '^local-agent/',
        pathNot:
          '^local-agent/(host/|stack/|worker-runner/|runner/|runs/|worktrees/|checkpoints/|firefox/|backup/|service/host[.]ts$|deps[.]ts$)',
      },
      to: { path: '^(node:)?(fs|fs/promises|os)$', dependencyTypes: NODE_BUILTIN },
    },
    {
      name: 'local-agent-processes',
      severity: 'error',
      comment:
        'Processes start in worker-runner/, runner/, firefox/ and the local stack only; one file in host/ asks ps what an id means, and one in service/ runs the manager of services.',
      from: {
        path: '^local-agent/',
        pathNot: '^local-agent/(stack/|worker-runner/|runner/|firefox/|host/process-start[.]ts$|service/host[.]ts$)',
      },
      to: { path: '^(node:)?(child_process|cluster)$', dependencyTypes: NODE_BUILTIN },
    },

    only(
      'extension',
      '^extension/(?!build/)',
      [...SHARED_SCHEMA, '^extension/(?!build/)', pkg('zod', 'preact', 'fflate')],
      'The extension shares the contracts and decisions with the agent, and runs in Firefox only.',
    ),
    only(
      'extension-build',
      '^extension/build/',
      [
        '^extension/build/',
        '^extension/(sites|manifest)/',
        ...SHARED_SCHEMA,
        pkg('esbuild', 'fflate', 'zod'),
        '^(node:)?[a-z_/]+$',
      ],
      'The build knows the sites by their registry.',
    ),
    {
      name: 'extension-sites',
      comment: 'Only the registry imports a site, so that everything else of the extension works for each site.',
      severity: 'error',
      from: { path: '^extension/', pathNot: '^extension/sites/(registry[.]ts$|chatgpt/|claude/|gemini/)' },
      to: { path: '^extension/sites/[^/]+/' },
    },
    {
      name: 'extension-sites-apart',
      comment: 'A site imports no other site, and of the extension only lib/ and the interface.',
      severity: 'error',
      from: { path: '^extension/sites/([^/]+)/' },
      to: { path: '^extension/', pathNot: ['^extension/sites/$1/', '^extension/sites/[^/]+$', '^extension/lib/'] },
    },
    {
      name: 'extension-sides',
      comment: 'The background page and the content scripts share lib/, sites/ and messages only.',
      severity: 'error',
      from: { path: '^extension/(background|content|overlay|options|lib)/' },
      to: {
        path: '^extension/(background|content|overlay|options)/',
        pathNot: ['^extension/$1/', '^extension/overlay/'],
      },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|[.]tsbuild|[.]wrangler)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.d.ts', '.js', '.mjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
