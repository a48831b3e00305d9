/** The lines of docs/mcp.md that connect a client: the real command line clients, a real edge, and a scripted model. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layoutOf, REPOSITORY } from '../../local-agent/stack/layout.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';
import { readPage } from '../support/documentation.ts';
import { runLine } from '../support/system.ts';
import { tempDir } from '../support/temp-dir.ts';
import { claudeSettings, codexSettings } from './agent-settings.ts';
import { installedAgent } from './installed.ts';
import { claudeProtocol } from './models/claude-protocol.ts';
import { codexProtocol } from './models/codex-protocol.ts';
import { startModel } from './models/model-server.ts';

const MINUTE_MS = 60_000;
const ADDRESS = 'https://conductor.example.com';
const LINES = readPage('docs/mcp.md').blocks.flatMap(({ text }) => text.split('\n'));

const CLIENTS = {
  claude: {
    protocol: claudeProtocol,
    settings: claudeSettings,
    // It asks the server before it lists it.
    connected: /conductor: .* - \S* ?Connected/,
    ask: `claude -p --allowedTools mcp__conductor -- 'Write a file.'`,
  },
  codex: {
    protocol: codexProtocol,
    settings: codexSettings,
    connected: /^conductor .* enabled/m,
    // Without `required` it begins before the server has said its tools.
    ask: `codex exec -c mcp_servers.conductor.required=true --dangerously-bypass-approvals-and-sandbox --disable plugins 'Write a file.'`,
  },
} as const;

let cluster: Cluster;
let node: TestNode;
beforeAll(async () => {
  cluster = await Cluster.start();
  node = await cluster.node('mini');
  mkdirSync(join(node.root, 'workspace'), { recursive: true });
  await node.start();
  await until(async () => (await node.snapshot()).loops.heartbeat);
}, 5 * MINUTE_MS);
afterAll(() => cluster?.stop());

/** A home whose default root has the operator token and the address of the edge. */
function homeOf(): string {
  const home = tempDir();
  const { root, state, operatorFile } = layoutOf(join(home, '.baa'));
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeFileSync(join(root, 'config.toml'), `control_api_base = "${cluster.stack.edgeUrl}"\n`, { mode: 0o600 });
  writeFileSync(operatorFile, `${cluster.operatorToken}\n`, { mode: 0o600 });
  return home;
}

/** A folder for PATH with the client and `conductor`. */
function programsOf(name: string, program: string): string {
  const folder = tempDir();
  symlinkSync(program, join(folder, name));
  const line = `exec ${process.execPath} ${join(REPOSITORY, 'local-agent/stack/conductor.js')} "$@"`;
  writeFileSync(join(folder, 'conductor'), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return [folder, process.env.PATH].join(delimiter);
}

describe.each(['claude', 'codex'] as const)('the real %s', (name) => {
  const program = installedAgent(name);
  const { protocol, settings, connected, ask } = CLIENTS[name];
  const lines = LINES.filter((line) => line.startsWith(`${name} mcp add `));

  it('has a line for HTTP and one for the command in the documentation', () => {
    expect(lines.map((line) => line.includes(ADDRESS))).toEqual([true, false]);
  });

  it.skipIf(program === null).each(lines)('is connected by `%s`, and calls a tool', async (line) => {
    const path = `${name}-${lines.indexOf(line)}.txt`;
    const model = await startModel(protocol, [
      { type: 'call', tool: 'files_write', arguments: { path, content: 'through a real client' } },
      { type: 'say', text: 'It is written.' },
    ]);
    const home = homeOf();
    const { env } = settings(program ?? '', home, model);
    const run = (command: string) =>
      runLine(command, home, {
        ...env,
        PATH: programsOf(name, program ?? ''),
        CONDUCTOR_TOKEN: cluster.operatorToken,
      });
    expect(await run(line.replace(ADDRESS, cluster.stack.edgeUrl))).toMatchObject({ code: 0 });
    expect((await run(`${name} mcp list`)).out).toMatch(connected);
    const asked = await run(ask);
    expect(asked).toMatchObject({ code: 0, out: expect.stringContaining('It is written.') });
    expect(readFileSync(join(node.root, 'workspace', path), 'utf8')).toBe('through a real client');
    expect(JSON.stringify(model.turns.at(-1))).toContain('succeeded');
  });
});
