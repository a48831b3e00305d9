/** Several systems on one machine, each found by its root; what a root keeps; and who gets its tokens. */

import { once } from 'node:events';
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from '../support/cluster.ts';
import { RunningLine, runLine } from '../support/system.ts';
import { tempDir } from '../support/temp-dir.ts';

const ReadySchema = z.object({
  edge_url: z.url(),
  agent_url: z.url().nullable(),
  controller_id: z.string(),
  root: z.string(),
});

const running: RunningLine[] = [];
afterEach(async () => {
  for (const line of running.splice(0)) await line.end('SIGINT');
});

async function startSystem(home: string, root: string, ...args: string[]) {
  const options = ['--root', root, '--port', '0', '--agent-port', '0', '--json', ...args];
  const line = new RunningLine(`node local-agent/stack/main.ts ${options.join(' ')}`, home);
  running.push(line);
  return { line, ...ReadySchema.parse(JSON.parse(await line.prints(/^\{.*"ready".*\}$/m))) };
}

function conductor(home: string, command: string) {
  return runLine(`node local-agent/cli.ts ${command}`, home);
}

async function stop({ line }: { line: RunningLine }): Promise<void> {
  await line.end('SIGINT');
}

describe('the root of a system', () => {
  it('--root alone reaches each of two systems on other ports, and without it both are listed', async () => {
    const home = tempDir();
    const [a, b] = [join(home, 'a'), join(home, 'b')];
    const [, second] = await Promise.all([
      startSystem(home, a, '--node-id', 'node-a'),
      startSystem(home, b, '--node-id', 'node-b'),
    ]);
    expect((await conductor(home, `status --root ${a}`)).out).toMatch(/^leader +node-a$/m);
    expect((await conductor(home, `status --root ${b}`)).out).toMatch(/^leader +node-b$/m);
    const neither = await conductor(home, 'status');
    expect(neither.code).toBe(2);
    expect(neither.err).toMatch(/several systems run on this machine; name one with --root: .*\/(a, .*\/b|b, .*\/a)/);
    await stop(second);
    expect(await conductor(home, 'status')).toMatchObject({ code: 0 });
  });

  it('a root keeps its node id over a restart, also one whose record an earlier version did not write', async () => {
    const home = tempDir();
    const root = join(home, 'a');
    await stop(await startSystem(home, root, '--node-id', 'chosen-once'));
    const second = await startSystem(home, root);
    expect(second.controller_id).toBe('chosen-once');
    await stop(second);
    renameSync(join(root, 'state/system.json'), join(root, 'state/system.json.removed'));
    const third = await startSystem(home, root);
    expect(third.controller_id).toBe('chosen-once');
    const { out } = await conductor(home, `status --root ${root} --json`);
    expect(z.object({ nodes: z.array(z.unknown()) }).parse(JSON.parse(out)).nodes).toHaveLength(1);
  });

  it('wrangler reads and a restart keeps the database of a root in the layout of an earlier version', async () => {
    const home = tempDir();
    const root = join(home, 'a');
    const edge = join(root, 'edge');
    const tokens = async (): Promise<string[]> => {
      const command = `npx wrangler d1 execute DB --local --json --persist-to ${edge} --command "SELECT token_id FROM tokens ORDER BY 1"`;
      const { out } = await runLine(command, home, { WRANGLER_SEND_METRICS: 'false' });
      const [first] = z
        .array(z.object({ results: z.array(z.object({ token_id: z.string() })) }))
        .parse(JSON.parse(out));
      return (first?.results ?? []).map(({ token_id }) => token_id);
    };
    const first = await startSystem(home, root, '--no-agent');
    const before = await tokens();
    expect(before).toHaveLength(2);
    await stop(first);
    for (const name of readdirSync(join(edge, 'v3'))) renameSync(join(edge, 'v3', name), join(edge, name));
    renameSync(join(edge, 'v3'), join(edge, 'empty'));
    await startSystem(home, root, '--no-agent');
    expect(await tokens()).toEqual(before);
  });

  it('the environment BAA_ROOT equals --root: nothing of the edge is written outside it', async () => {
    const home = tempDir();
    const root = join(home, 'by-environment');
    const line = new RunningLine('node local-agent/stack/main.ts --port 0 --no-agent --json', home, { BAA_ROOT: root });
    running.push(line);
    await line.prints(/^\{.*"ready".*\}$/m);
    expect(readdirSync(root).sort()).toEqual(['edge', 'logs', 'state']);
    expect(readdirSync(join(root, 'edge'))).toContain('v3');
  });
});

describe('a program that listens on the port of a system', () => {
  /** Everything that the program receives. */
  async function eavesdropper(port: number) {
    const received: string[] = [];
    const server = createServer((request, response) => {
      received.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
      response.end('{}');
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return { received, close: () => new Promise((resolve) => server.close(resolve)) };
  }

  it('it gets no request and no token after the system was killed', async () => {
    const home = tempDir();
    const root = join(home, 'a');
    const system = await startSystem(home, root);
    await system.line.end('SIGKILL');
    const port = Number(new URL(system.edge_url).port);
    // Agent and edge end with their parent, a moment later; until then the agent still calls its edge.
    await until(() =>
      fetch(system.agent_url ?? '').then(
        () => null,
        () => true,
      ),
    );
    const thief = await until(() => eavesdropper(port).catch(() => null));
    for (const command of ['status', 'pair', 'status --local']) {
      const { code, err } = await conductor(home, `${command} --root ${root}`);
      expect([code, err]).toEqual([3, expect.stringContaining(`the system of ${root} does not run`)]);
    }
    expect(thief.received).toEqual([]);
    await thief.close();
  });

  it('it gets no request and no token on a usual port, from a root that holds tokens and no record', async () => {
    const home = tempDir();
    const root = join(home, '.baa');
    mkdirSync(join(root, 'state'), { recursive: true });
    const system = await startSystem(home, join(home, 'real'));
    await stop(system);
    for (const name of ['operator.token', 'shared.token'])
      renameSync(join(home, 'real/state', name), join(root, 'state', name));
    const thief = await eavesdropper(8787).catch(() => null);
    for (const command of ['status', 'pair', 'start']) {
      expect(await conductor(home, command)).toMatchObject({
        code: 2,
        err: expect.stringMatching(/no edge is (known|named)/),
      });
    }
    expect(thief?.received ?? []).toEqual([]);
    await thief?.close();
  });
});
