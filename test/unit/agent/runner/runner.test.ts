import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { statOf } from '../../../../local-agent/host/processes.ts';
import { exitPath } from '../../../../local-agent/runner/exit-file.ts';
import { claimRun, readIdentity } from '../../../../local-agent/runner/identity.ts';
import { writeLimits } from '../../../../local-agent/runner/limits.ts';
import { endOrphans, runnerState, startRunner } from '../../../../local-agent/runner/start-runner.ts';
import { limitsIn, preparedRun } from '../../../support/runner-scene.ts';
import { until } from '../../../support/until.ts';

const repository = join(import.meta.dirname, '../../../..');
const RUNNER = join(repository, 'local-agent/runner/runner.ts');
const SHORT_AGENT = join(repository, 'test/support/short-agent.ts');

function pidOf(process: { pid: number } | null | undefined): number {
  if (!process) throw new Error('there is no such process');
  return process.pid;
}

describe('a runner', () => {
  it('puts the bytes of both outputs into the run files, and how the child ended into exit.json', async () => {
    const run = preparedRun();
    const script = String.raw`printf 'out \377\n'; echo err >&2; exit 3`;
    const { ended } = await startRunner(run.folder, run.launch(script));
    await ended;
    expect(readFileSync(join(run.folder, 'stdout.log'))).toEqual(Buffer.from('out \xff\n', 'latin1'));
    expect(run.read('stderr.log')).toBe('err\n');
    expect(run.exit()).toMatchObject({ exit_code: 3, signal: null, ended_by: null, error: null, left_behind: [] });
    expect(runnerState(run.folder)).toBe('ended');
  });

  it('gives the child the id of its run, no input, and exactly the given environment', async () => {
    const run = preparedRun();
    const { ended } = await startRunner(run.folder, run.launch('cat; env | sort', { env: { SECRET_KEY: 's3cret' } }));
    await ended;
    const names = run.read('stdout.log').match(/^\w+(?==)/gm);
    expect(names).toEqual(['BAA_RUN_ID', 'CONDUCTOR_RUN', 'PWD', 'SECRET_KEY']);
    expect(run.read('stdout.log')).toContain(`BAA_RUN_ID=${run.runId}\n`);
  });

  it('gives the child a text as its input, which ends, and keeps no file of it', async () => {
    const run = preparedRun();
    const before = readdirSync(run.folder);
    const { ended } = await startRunner(run.folder, run.launch('cat', { stdin: 'a prompt' }));
    await ended;
    expect(run.read('stdout.log')).toBe('a prompt');
    expect(readdirSync(run.folder).sort()).toEqual([...before, 'exit.json', 'runner.json'].sort());
  });

  it('leaves the variables of the child in no file of the run', async () => {
    const run = preparedRun();
    const { ended } = await startRunner(run.folder, run.launch('true', { env: { SECRET_KEY: 's3cret-value' } }));
    await ended;
    for (const name of readdirSync(run.folder)) expect(run.read(name)).not.toContain('s3cret-value');
  });

  it('says why a program cannot be started', async () => {
    const run = preparedRun();
    const { ended } = await startRunner(run.folder, run.launch('', { argv: ['/no/such/program'] }));
    await ended;
    expect(run.exit()).toMatchObject({ exit_code: null, signal: null, error: { code: 'ENOENT' } });
  });

  it('records the signal that ended the child', async () => {
    const run = preparedRun();
    const { ended } = await startRunner(run.folder, run.launch('kill -9 $$'));
    await ended;
    expect(run.exit()).toMatchObject({ exit_code: null, signal: 'SIGKILL', ended_by: null });
  });

  it('starts nothing when the launch is not whole, so that an agent that dies meanwhile has begun nothing', async () => {
    const run = preparedRun();
    const runner = spawn(process.execPath, [RUNNER, run.folder], { stdio: ['pipe', 'ignore', 'inherit'] });
    runner.stdin.end(JSON.stringify(run.launch('echo begun')).slice(0, -1));
    await once(runner, 'exit');
    expect(run.read('stdout.log')).toBe('');
    expect(runnerState(run.folder)).toBe('never_began');
  });

  it('starts nothing for a run that an agent has given up', async () => {
    const run = preparedRun();
    expect(runnerState(run.folder)).toBe('never_began');
    const { ended } = await startRunner(run.folder, run.launch('echo begun'));
    await ended;
    expect(run.read('stdout.log')).toBe('');
    expect(existsSync(exitPath(run.folder))).toBe(false);
  });

  it('is the only one of its run', async () => {
    const run = preparedRun();
    expect(claimRun(run.folder, { runner: null, child: null })).toBe(true);
    expect(claimRun(run.folder, { runner: null, child: null })).toBe(false);
  });

  it('starts nothing when the deadline is near', async () => {
    const run = preparedRun(limitsIn(14_000));
    const { ended } = await startRunner(run.folder, run.launch('echo begun'));
    await ended;
    expect(run.read('stdout.log')).toBe('');
    expect(run.exit()).toMatchObject({ ended_by: 'deadline', exit_code: null });
  });
});

describe('a runner that ends its child', () => {
  it.runIf(process.platform === 'linux')(
    'ends what has removed the mark and left the session, by the logs',
    async () => {
      const run = preparedRun();
      const script = 'env -i /usr/bin/setsid /bin/sleep 600 & echo $!';
      const { ended } = await startRunner(run.folder, run.launch(script));
      await ended;
      const pid = Number(run.read('stdout.log'));
      expect(run.exit()).toMatchObject({
        exit_code: 0,
        left_behind: [{ command: expect.stringContaining('sleep 600') }],
      });
      expect(statOf(pid)).toBeNull();
    },
  );

  it('ends it at the time limit, with the tools that lead sessions of their own', async () => {
    const run = preparedRun();
    const script = 'setsid sleep 600 & echo on; sleep 600';
    const { ended } = await startRunner(run.folder, run.launch(script, { timeout_ms: 300 }));
    await ended;
    expect(run.exit()).toMatchObject({ signal: 'SIGTERM', ended_by: 'timeout' });
    expect(run.marked()).toEqual([]);
  });

  it('kills a tree that ignores SIGTERM and left its session before the deadline', async () => {
    const run = preparedRun();
    const stubborn =
      "trap '' TERM; setsid sh -c \"trap '' TERM; while :; do sleep 1; done\" & echo on; while :; do sleep 1; done";
    const { ended } = await startRunner(run.folder, run.launch(stubborn));
    await run.printed('on');
    writeLimits(run.folder, limitsIn(4_000, 'canceled'));
    await ended;
    expect(run.exit()).toMatchObject({ signal: 'SIGKILL', ended_by: 'canceled' });
    expect(run.marked()).toEqual([]);
  });

  it('ends what the child left running, before exit.json says that it has ended', async () => {
    const run = preparedRun();
    const { ended } = await startRunner(run.folder, run.launch('setsid sleep 600 & exit 0'));
    await ended;
    expect(run.exit()).toMatchObject({ exit_code: 0, ended_by: null, left_behind: [{ command: 'sleep 600' }] });
    expect(run.marked()).toEqual([]);
  });

  it('follows a deadline that the agent moves', async () => {
    const run = preparedRun();
    const { ended } = await startRunner(run.folder, run.launch('echo on; sleep 600'));
    await run.printed('on');
    writeLimits(run.folder, limitsIn(14_000));
    await ended;
    expect(run.exit()).toMatchObject({ signal: 'SIGTERM', ended_by: 'deadline' });
  });
});

describe('kill -9', () => {
  it('of the agent leaves runner and child to their work', async () => {
    const run = preparedRun();
    const gate = join(run.folder, 'gate');
    const script = `echo on; while [ ! -e ${gate} ]; do sleep 0.02; done; echo end; exit 5`;
    const agent = spawn(process.execPath, [SHORT_AGENT, run.folder, JSON.stringify(run.launch(script))], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await run.printed('on');
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    expect(runnerState(run.folder)).toBe('running');
    spawn('touch', [gate]);
    await until(() => runnerState(run.folder) === 'ended');
    expect(run.read('stdout.log')).toBe('on\nend\n');
    expect(run.exit()).toMatchObject({ exit_code: 5 });
  });

  it('of the runner makes the run lost, and what it left is found by its mark and ended', async () => {
    const run = preparedRun();
    const { ended } = await startRunner(run.folder, run.launch('setsid sleep 600 & echo on; sleep 600'));
    await run.printed('on');
    await until(() => readIdentity(run.folder)?.child !== null);
    process.kill(pidOf(readIdentity(run.folder)?.runner), 'SIGKILL');
    await ended;
    expect(runnerState(run.folder)).toBe('lost');
    expect(run.marked().length).toBeGreaterThan(0);
    await endOrphans(run.folder, run.runId);
    await until(() => run.marked().length === 0);
    expect(existsSync(exitPath(run.folder))).toBe(false);
  });

  it('of the child is its end', async () => {
    const run = preparedRun();
    const { ended } = await startRunner(run.folder, run.launch('echo on; exec sleep 600'));
    await run.printed('on');
    await until(() => readIdentity(run.folder)?.child !== null);
    process.kill(pidOf(readIdentity(run.folder)?.child), 'SIGKILL');
    await ended;
    expect(run.exit()).toMatchObject({ signal: 'SIGKILL', ended_by: null });
  });
});
