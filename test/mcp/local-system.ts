/** The system of `npm start` on this machine, whose host lets `files_write` through and denies `exec`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { startStack } from '../../local-agent/stack/stack.ts';

const POLICY = { exec: { default: 'deny', shell: 'deny' }, tools: { 'files/write': 'allow' } };

export interface LocalSystem {
  url: string;
  token: string;
  workspace: string;
  stop(): Promise<void>;
}

export async function startLocalSystem(): Promise<LocalSystem> {
  const root = mkdtempSync(join(tmpdir(), 'conductor-mcp-'));
  const workspace = join(root, 'workspace');
  mkdirSync(workspace);
  writeFileSync(join(root, 'policy.json'), JSON.stringify(POLICY));
  const options = { root, port: 0, agentPort: 0, nodeId: 'mini-main', host: 'mini', agent: true };
  const stack = await startStack(options, () => undefined);
  return {
    url: `${stack.edgeUrl}/mcp`,
    token: readFileSync(stack.layout.operatorFile, 'utf8').trim(),
    workspace,
    stop: async () => {
      await stack.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Runs a script of npm on this Node, because both programs need a newer one than systems have. */
export async function runScript(
  path: string,
  args: readonly string[],
): Promise<{ code: unknown; out: string; err: string }> {
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  return { code, out, err };
}
