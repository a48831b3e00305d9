/** `events`: the stream of the edge on the command line. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { instantClock } from '../../../support/test-clock.ts';

const event = (seq: number, subject_id: string) => ({
  topic: 'tasks',
  type: 'done',
  subject_id,
  data: {},
  seq,
  at: 1_800_000_000_000,
});
const block = (one: ReturnType<typeof event>, id?: number) =>
  `${id === undefined ? '' : `id: ${id}\n`}event: tasks\ndata: ${JSON.stringify(one)}\n\n`;

/** An edge that gives each connection its answer, the last one to all further ones; what each connection asked for. */
async function edgeOf(...answers: ((response: ServerResponse) => void)[]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers['last-event-id'] ?? '-'}`);
    (answers[asked.length - 1] ?? answers.at(-1))?.(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const base = commandWorld(() => ({})).deps.env;
  const env = { ...base, BAA_CONTROL_API_BASE: `http://127.0.0.1:${port}` };
  return { ...commandWorld(() => ({}), { env, clock: instantClock() }), asked };
}

const sends =
  (...parts: string[]) =>
  (response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(parts.join(''));
const refuses = (response: ServerResponse) =>
  void response.writeHead(401).end(
    JSON.stringify({
      ok: false,
      request_id: 'r',
      error: 'revoked_token',
      message: 'the token is revoked',
      details: null,
    }),
  );
/** Sends these, and breaks the connection. */
const breaks = (text: string) => (response: ServerResponse) =>
  void response.writeHead(200).write(text, () => response.socket?.destroy());

describe('conductor events', () => {
  it('with -f continues behind the last whole commit, and prints each event once', async () => {
    const { deps, out, err, asked } = await edgeOf(
      breaks(`retry: 1000\nid: 7\n\n${block(event(8, 'task_a'))}`),
      sends('retry: 1000\nid: 7\n\n', block(event(8, 'task_a')), block(event(8, 'task_b'), 8)),
      (response) => void response.socket?.destroy(),
      sends(block(event(9, 'task_c'), 9)),
      refuses,
    );
    expect(await runCli(['events', '-f', '--topic', 'tasks', 'runs', '--json'], deps)).toBe(1);
    expect(JSON.parse(out.pop() ?? '')).toMatchObject({ ok: false });
    expect(out.map((line) => JSON.parse(line).subject_id)).toEqual(['task_a', 'task_b', 'task_c']);
    expect(asked).toEqual(['-', '7', '8', '8', '9'].map((id) => `/v1/events?topics=tasks%2Cruns ${id}`));
    expect(err.join('\n')).toMatch(/cannot be reached: .*; trying again until Ctrl-C/);
  });

  it('with --after prints what is stored, for people, and ends', async () => {
    const { deps, out, asked } = await edgeOf(sends(block({ ...event(3, 'task_a'), type: 'a\u0007b' }, 3)));
    expect(await runCli(['events', '--after', '2'], deps)).toBe(0);
    expect(asked).toEqual(['/v1/events?wait_ms=0 2']);
    expect(out).toEqual([expect.stringMatching(/^2027-01-15 \S+ \S+ tasks a\\u\{7\}b task_a \{\}$/)]);
  });

  it('says when the edge no longer has the position', async () => {
    const { deps, stderr } = await edgeOf(sends('event: reset\nid: 40\ndata: {"seq":40}\n\n'));
    expect(await runCli(['events', '--after', '2'], deps)).toBe(0);
    expect(stderr()).toContain('no longer has the events before 40');
  });

  it.each([[[]], [['--after', 'now']], [['-f', '--topic', 'weather']]])(
    '%j is refused before the edge is asked',
    async (argv) => {
      const { deps, asked } = await edgeOf(refuses);
      expect(await runCli(['events', ...argv], deps)).toBe(2);
      expect(asked).toEqual([]);
    },
  );
});
