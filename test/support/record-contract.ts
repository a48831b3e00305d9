/**
 * Records the contract of the version before, by which `earlier-contract.test.ts` judges this one. With each version, run it
 * on a worktree of the version that was released before:
 *
 *   git worktree add ../earlier TAG && npm --prefix ../earlier ci --ignore-scripts
 *   node test/support/record-contract.ts ../earlier > test/fixtures/earlier-contract.json
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [checkout] = process.argv.slice(2);
if (checkout === undefined) throw new Error('usage: node test/support/record-contract.ts CHECKOUT');
const ours = fileURLToPath(new URL('./contract-of.ts', import.meta.url));
const entry = `
import { z } from 'zod';
import { contractOf } from ${JSON.stringify(ours)};
import { ROUTES as routes } from './workers/routes.ts';
import { AgentFrameSchema as node, EdgeFrameSchema as edge } from './schema/contracts/channel-frames.ts';
import { COMMAND_RESULTS } from './schema/contracts/commands.ts';
import { AgentBridgeFrameSchema as agent, ExtensionFrameSchema as extension } from './schema/contracts/bridge-frames.ts';
const results = z.object(COMMAND_RESULTS);
const contract = contractOf({ routes, frames: { node, results, edge, agent, extension } });
const lines = (part) => Object.entries(part).map(([name, value]) => JSON.stringify(name) + ':' + JSON.stringify(value));
const parts = Object.entries(contract).map(([name, part]) => JSON.stringify(name) + ':{\\n' + lines(part).join(',\\n') + '\\n}');
process.stdout.write('{' + parts.join(',\\n') + '}\\n');
`;
const { outputFiles } = await build({
  stdin: { contents: entry, resolveDir: resolve(checkout), loader: 'ts' },
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  logLevel: 'error',
  plugins: [
    {
      name: 'no runtime of Workers',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^cloudflare:/ }, ({ path }) => ({ path, namespace: 'stub' }));
        const contents = 'export class DurableObject {} export class WorkerEntrypoint {} export const env = {};';
        onLoad({ filter: /.*/, namespace: 'stub' }, () => ({ contents }));
      },
    },
  ],
});
const [bundle] = outputFiles;
if (bundle === undefined) throw new Error('esbuild has written nothing');
await import(`data:text/javascript;base64,${Buffer.from(bundle.text).toString('base64')}`);
