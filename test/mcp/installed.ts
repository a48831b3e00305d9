/** Where the inspector and the conformance suite of MCP are. `npm ci` in this folder installs them; without it their tests say that they are absent. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where `npm ci` was run, when that was not here. */
const ROOT = process.env.CONDUCTOR_MCP_DIR ?? import.meta.dirname;

/** The script of the program; null, loudly, when it is absent. */
export function installedProgram(name: 'mcp-inspector' | 'conformance'): string | null {
  const path = join(ROOT, 'node_modules', '.bin', name);
  if (existsSync(path)) return path;
  process.stderr.write(`\n*** ${name} IS ABSENT: its tests are skipped. Install it with: npm ci --prefix test/mcp\n\n`);
  return null;
}
