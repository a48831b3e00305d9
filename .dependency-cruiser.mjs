/**
 * Who may import what, type-only imports included: the table of ARCHITECTURE.md as rules.
 * A room that is listed by what it MAY import has one rule of the form "anything else is an error".
 * test/conventions.test.ts plants forbidden imports and expects each of these rules to fire:
 * with TypeScript 7 alone dependency-cruiser reads nothing and reports no violation, hence the swc parser.
 * That parser cannot tell `import type` from `import`, so cycles are Biome's (noImportCycles, which lets type-only ones pass).
 */

/** npm packages, whether resolved into node_modules or (in the planted trees of the test) not at all. */
const pkg = (...names) => `^(node_modules/)?(@types/)?(${names.join('|')})(/|$)`;
const KERNEL = '^schema/[^/]+[.]ts$';
const CONTRACTS = '^schema/contracts/';
const DOMAIN = '^schema/domain/';
const SHARED_SCHEMA = [KERNEL, CONTRACTS, DOMAIN];
const NODE_BUILTIN = ['core'];

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
      '^workers/',
      [
        '^schema/',
        '^workers/',
        '^durable-objects/(index|stubs)[.]ts$',
        '^cloudflare:',
        pkg('hono', 'zod-openapi', 'drizzle-orm', 'jose', 'zod'),
      ],
      'The edge reaches an object by its stub, never by its internals.',
    ),

    {
      name: 'local-agent-rooms',
      severity: 'error',
      comment: 'The agent is deployed apart from the edge: contracts and decisions are all it shares, also by type.',
      from: { path: '^local-agent/' },
      to: { path: '^(schema/tables|schema/migrations|workers|durable-objects|extension)/' },
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
      comment: 'Files and the system are touched in host/, the run directories and the composition root only.',
      from: { path: '^local-agent/', pathNot: '^local-agent/(host/|stack/|worker-runner/|deps[.]ts$)' },
      to: { path: '^(node:)?(fs|fs/promises|os)$', dependencyTypes: NODE_BUILTIN },
    },
    {
      name: 'local-agent-processes',
      severity: 'error',
      comment: 'Processes start in worker-runner/ and the local stack only.',
      from: { path: '^local-agent/', pathNot: '^local-agent/(stack|worker-runner)/' },
      to: { path: '^(node:)?(child_process|cluster)$', dependencyTypes: NODE_BUILTIN },
    },

    only(
      'extension',
      '^extension/(?!build[.]ts$)',
      [...SHARED_SCHEMA, '^extension/', pkg('zod')],
      'The extension shares contracts and decisions, nothing else.',
    ),
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|[.]tsbuild|[.]wrangler)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.d.ts', '.js', '.mjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
