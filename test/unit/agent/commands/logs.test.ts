import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readableLine } from '../../../../local-agent/commands/log-line.ts';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const RUN = 'run_01m8cfpjwgfa8rhhzw5sq1g2q5';
const AT = Date.UTC(2026, 9, 26, 17, 5, 9);

/** A root with one line in each log. */
function rootWithLogs() {
  const root = tempDir();
  const files = {
    'logs/agent.1.log': `{"level":40,"time":${AT},"node":"mini","msg":"not connected"}\n`,
    'logs/edge.1.log': `{"time":${AT},"level":"info","what":"tick","status":200}\n`,
    'logs/timed-jobs/2026-10-26.jsonl': '{"ts":"2026-10-26T17:05:09.000Z","stage":"started","result":"ok"}\n',
    [`runs/task_1/${RUN}/events.jsonl`]: `{"at":${AT},"type":"step_failed","level":"error","message":"exit 1","data":{}}\n`,
    [`runs/task_1/${RUN}/stdout.log`]: 'hello \u001b[31mred\n',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const world = commandWorld(() => ({}), { env: {} });
  return { ...world, root, logs: (...args: string[]) => runCli(['logs', ...args, '--root', root], world.deps) };
}

beforeEach(() => void vi.stubEnv('TZ', 'Asia/Kolkata'));
afterEach(() => void vi.unstubAllEnvs());

describe('logs', () => {
  it('shows each log with the time of the reader, level, message and fields', async () => {
    const { logs, out } = rootWithLogs();
    for (const args of [[], ['edge'], ['ticks'], ['run', RUN]]) expect(await logs(...args)).toBe(0);
    expect(out).toEqual([
      '2026-10-26 22:35:09 warn  not connected node=mini',
      '2026-10-26 22:35:09 info  tick status=200',
      '2026-10-26 22:35:09 ok    started',
      '2026-10-26 22:35:09 error exit 1 type=step_failed data={}',
    ]);
  });

  it('shows what a run printed, without the control characters of its program', async () => {
    const { logs, out } = rootWithLogs();
    await logs('run', RUN, '--stream', 'stdout');
    expect(out).toEqual(['hello \\u{1b}[31mred']);
  });

  it('shows where a process hung, of the agent and of the edge', async () => {
    const { logs, out, root } = rootWithLogs();
    const line = (who: string) =>
      `2026-10-26T17:05:09.000Z ${who} has hung for 30 s and is killed\n    at f (a.ts:1)\n`;
    mkdirSync(join(root, 'edge'));
    writeFileSync(join(root, 'logs/hung.log'), line('this process'));
    writeFileSync(join(root, 'edge/hung.log'), line('the edge'));
    expect(await logs('hung')).toBe(0);
    expect(out.join('\n')).toMatch(/this process has hung .*\n {4}at f \(a.ts:1\)\n.*the edge has hung/);
  });

  it('prints the lines as they are with --json', async () => {
    const { logs, out } = rootWithLogs();
    await logs('--json');
    expect(out).toEqual([`{"level":40,"time":${AT},"node":"mini","msg":"not connected"}`]);
  });

  it('says what is wrong with its arguments', async () => {
    const { logs, stderr } = rootWithLogs();
    expect(await logs('frob')).toBe(2);
    expect(await logs('run')).toBe(2);
    expect(await logs('run', '../../etc')).toBe(2);
    expect(await logs('--lines', 'many')).toBe(2);
    expect(await logs('run', RUN.replace('q5', 'q6'))).toBe(1);
    expect(stderr()).toMatch(/logs takes one of agent, edge, ticks, run, service, hung/);
    expect(stderr()).toMatch(/the id of a run is missing or invalid/);
    expect(stderr()).toMatch(/this host has no files of run_.*ran on another host, or was removed/);
  });
});

describe('a line of a log for people', () => {
  const { deps } = commandWorld(() => ({}));

  it('keeps a line that is no JSON', () => {
    expect(readableLine('edge \u0007 died', deps)).toBe('edge \\u{7} died');
  });

  it('has the stack of an error below it, and no field can begin a line', () => {
    const line = JSON.stringify({
      level: 50,
      msg: 'a\nb',
      error: { message: 'x\ny', stack: 'Error: x\n    at f (a.ts:1)' },
    });
    expect(readableLine(line, deps).split('\n')).toEqual([
      'error a\\u{a}b error={"message":"x\\ny"}',
      '    Error: x',
      '    at f (a.ts:1)',
    ]);
  });
});
