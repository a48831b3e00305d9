/** Steps that go wrong: much output, a full disk, a repository that vanishes, logs with anything in them. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AgentSettingsSchema } from '../../../../local-agent/config/agent-settings.ts';
import { readState } from '../../../../local-agent/runs/state-file.ts';
import { newRepo } from '../../../support/git-repo.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { until } from '../../../support/until.ts';

const MIB = 1024 * 1024;
/** Raised by the variable for a look at a whole gibibyte. */
const OUTPUT_BYTES = Number(process.env.CONDUCTOR_OUTPUT_MIB ?? 200) * MIB;
const AGENT = join(import.meta.dirname, '../../../support/runs-agent.ts');

/** The most memory that a process has had so far. */
function peakOf(pid: number | undefined): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

const worktree = {
  repo: 'app',
  base_ref: 'main',
  base_sha: null,
  branch_name: 'conductor/x',
  patch_checkpoint_id: null,
};

describe('a step with unusual output', () => {
  it('of hundreds of MiB costs the agent hardly more memory than one line, and the edge gets its beginning and its end', {
    timeout: 10 * 60_000,
  }, async () => {
    const { edge, server, root, offer, ended, folderOf } = await openRunsScene();
    const line = offer({ input: { script: 'echo on' } });
    const agent = spawn(process.execPath, [AGENT, JSON.stringify({ edgeUrl: server.url, root })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void agent.kill('SIGKILL'));
    await ended(line);
    const before = peakOf(agent.pid);
    const claim = offer({ input: { script: `head -c ${OUTPUT_BYTES} /dev/zero | tr '\\0' 'x'; printf 'the end'` } });
    const run = await ended(claim);
    expect(statSync(join(folderOf(claim), 'stdout.log')).size).toBe(OUTPUT_BYTES + 7);
    expect(run.text('stdout').endsWith('the end')).toBe(true);
    expect(edge.run(claim.run_id).received.stdout).toBe(OUTPUT_BYTES + 7);
    const after = peakOf(agent.pid);
    process.stdout.write(
      `peak of the agent: ${Math.round(before / MIB)} MiB after one line, ${Math.round(after / MIB)} MiB after the output\n`,
    );
    expect(after - before).toBeLessThan(before / 2);
  });

  it('with invalid UTF-8 and without a newline arrives byte for byte', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ input: { script: String.raw`printf '\377\376\000end'` } });
    open();
    expect((await ended(claim)).logs.stdout).toEqual(Buffer.from('\xff\xfe\x00end', 'latin1'));
  });
});

describe('a step whose host cannot continue it', () => {
  it('fails when its program is missing, and says where programs are looked up', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ input: { argv: ['no-such-program'] } });
    open();
    expect((await ended(claim)).end).toMatchObject({ status: 'failed', error_code: 'program_not_found' });
  });

  it('fails when its coding agent lacks a variable, and says which', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ kind: 'agent', input: { agent: 'codex' } });
    open({ agents: { codex: AgentSettingsSchema.parse({ command: 'true', env_from: ['NO_SUCH_KEY'] }) } });
    expect((await ended(claim)).end).toMatchObject({
      status: 'failed',
      error_code: 'agent_not_configured',
      error_text: expect.stringContaining('NO_SUCH_KEY'),
      final: true,
    });
  });

  it('fails a kind that it does not know', async () => {
    const { offer, open, ended, folderOf } = await openRunsScene();
    const claim = offer({ kind: 'deploy', input: {} });
    open();
    expect((await ended(claim)).end).toMatchObject({
      status: 'failed',
      error_code: 'unsupported_step_kind',
      final: true,
    });
    expect(readState(folderOf(claim))?.status).toBe('failed');
  });

  it('waits for a person in a review, with what has changed', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ kind: 'review', input: { question: 'Ship it?' } });
    open();
    expect((await ended(claim)).end).toMatchObject({
      status: 'blocked',
      error_code: 'needs_human',
      summary: expect.stringContaining('Ship it?'),
    });
  });
});

describe('a running step', () => {
  it('is checkpointed while it runs, so that another host continues from there when this one dies', async () => {
    const { edge, offer, open } = await openRunsScene();
    const claim = offer({ input: { script: 'echo hello > new.txt; echo on; sleep 600' }, worktree });
    const node = open({ repos: { app: newRepo() }, checkpointIntervalMs: 100 });
    const run = edge.run(claim.run_id);
    const contentOf = ({ content = '' }) => Buffer.from(content, 'base64').toString();
    await until(() => run.checkpoints.some((one) => one.type === 'git_diff' && contentOf(one).includes('+hello')));
    expect(run.end).toBeNull();
    node.nodeRuns.stopRun(claim.run_id, 'canceled');
    await until(() => run.end !== null);
  });

  it('is not checkpointed again while nothing has changed', async () => {
    const { edge, offer, open } = await openRunsScene();
    const claim = offer({ input: { script: 'echo on; sleep 600' } });
    const node = open({ checkpointIntervalMs: 50 });
    const run = edge.run(claim.run_id);
    await until(() => run.checkpoints.length > 0 && run.text('stdout') === 'on\n');
    node.nodeRuns.stopRun(claim.run_id, 'canceled');
    await until(() => run.end !== null);
    expect(run.checkpoints.filter(({ type }) => type === 'log_tail').length).toBeLessThanOrEqual(2);
  });

  it('fails when its repository vanishes, and says so', async () => {
    const { edge, offer, open } = await openRunsScene();
    const repo = newRepo();
    const claim = offer({ input: { script: 'echo on; sleep 600' }, worktree });
    open({ repos: { app: repo }, checkpointIntervalMs: 100 });
    const run = edge.run(claim.run_id);
    await until(() => run.text('stdout') === 'on\n');
    rmSync(repo, { recursive: true });
    await until(() => run.end !== null);
    expect(run.end).toMatchObject({
      status: 'failed',
      error_code: 'host_failed',
      error_text: `${repo} does not exist any more`,
    });
  });
});

describe('a repository that is missing when its node starts', () => {
  const steps = (offer: Awaited<ReturnType<typeof openRunsScene>>['offer']) => ({
    missing: offer({ input: { script: 'true' }, worktree }),
    other: offer({ input: { script: 'true' } }),
  });

  it('has no step claimed for it, while others run', async () => {
    const { edge, offer, open, ended } = await openRunsScene();
    const { missing, other } = steps(offer);
    open({ repos: { app: '/nonexistent' }, missingRepoMs: 3_600_000 });
    await ended(other);
    expect(edge.claims.every(({ repos }) => repos.length === 0)).toBe(true);
    expect(edge.waiting).toEqual([missing]);
  });

  it('has them claimed after a while, one at a time, and each fails and says so', async () => {
    const { edge, offer, open, ended } = await openRunsScene();
    const claims = [steps(offer).missing, steps(offer).missing];
    open({ repos: { app: '/nonexistent' } });
    for (const claim of claims) {
      expect((await ended(claim)).end).toMatchObject({
        status: 'failed',
        error_code: 'worktree_failed',
        error_text: expect.stringContaining('the repository app is missing'),
      });
    }
    const named = edge.claims.map(({ repos }) => repos.length);
    expect(named.slice(named.indexOf(1), named.lastIndexOf(1))).toContain(0);
  });
});

describe('any other command as a coding agent', () => {
  it('gets the prompt, and its last lines are the summary', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ kind: 'agent', input: { agent: 'echo', prompt: 'Say hello.' } });
    open({ agents: { echo: AgentSettingsSchema.parse({ command: '/bin/cat' }) } });
    expect((await ended(claim)).end).toMatchObject({
      status: 'succeeded',
      summary: expect.stringMatching(/^Say hello\./),
    });
  });
});

describe('a disk that takes no more of a run', () => {
  it('ends it as failed with the reason, and leaves what is there as it is', async () => {
    const { edge, root, offer, open, ended, folderOf, file } = await openRunsScene();
    const gate = join(root, 'gate');
    const claim = offer({ input: { script: `echo on; while [ ! -e ${gate} ]; do sleep 0.05; done` } });
    open();
    await until(() => edge.run(claim.run_id).text('stdout') === 'on\n');
    const events = join(folderOf(claim), 'events.jsonl');
    const before = file(claim, 'events.jsonl');
    renameSync(events, `${events}.kept`);
    mkdirSync(events);
    writeFileSync(gate, '');
    const run = await ended(claim);
    expect(run.end).toMatchObject({
      status: 'failed',
      error_code: 'disk_fault',
      error_text: expect.stringContaining('free space'),
    });
    expect(readFileSync(`${events}.kept`, 'utf8')).toBe(before);
    expect(readState(folderOf(claim))).toMatchObject({ status: 'failed', error_code: 'disk_fault' });
  });
});
