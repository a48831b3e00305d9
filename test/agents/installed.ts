/** Where the real coding agents are. `npm ci` in this folder installs them; without it their tests say that they are absent. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where `npm ci` was run, when that was not here. */
const ROOT = process.env.CONDUCTOR_AGENTS_DIR ?? import.meta.dirname;

const PROGRAMS = {
  codex: 'node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex',
  claude: 'node_modules/@anthropic-ai/claude-code-linux-x64/claude',
} as const;

/** The program; null, loudly, when it is absent. */
export function installedAgent(name: keyof typeof PROGRAMS): string | null {
  const path = join(ROOT, PROGRAMS[name]);
  if (existsSync(path)) return path;
  process.stderr.write(
    `\n*** ${name} IS ABSENT: its tests are skipped. Install it with: npm ci --prefix test/agents\n\n`,
  );
  return null;
}
