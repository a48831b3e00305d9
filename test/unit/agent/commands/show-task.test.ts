import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const TASK = `task_${'0'.repeat(26)}`;
const RUN = `run_${'0'.repeat(26)}`;
const RUN_ROW = {
  run_id: RUN,
  step_id: 'step_1',
  task_id: `task_${'0'.repeat(26)}`,
  attempt: 1,
  status: 'succeeded',
  controller_id: 'mini-main',
  worker_subject: null,
  deadline_at: null,
  exit_code: 0,
  signal: null,
  summary: 'one\ntwo',
  error_code: null,
  error_text: null,
  checkpoint_seq: 1,
  usage: null,
  session_id: null,
  created_at: 1,
  started_at: 1,
  finished_at: 1,
};
const AT = Date.UTC(2026, 10, 26, 9, 30);

const step = (over: object) => ({
  step_id: 'step_1',
  task_id: TASK,
  step_index: 0,
  kind: 'shell',
  name: 'build',
  input: {},
  status: 'pending',
  attempt: 0,
  max_attempts: 2,
  timeout_ms: 60_000,
  run_id: null,
  summary: null,
  error_code: null,
  error_text: null,
  started_at: null,
  finished_at: null,
  ...over,
});

const task = (over: object) => ({
  task_id: TASK,
  repo: null,
  task_type: 'shell',
  title: 'Build',
  goal: 'Build it.',
  status: 'running',
  priority: 0,
  constraints: {},
  acceptance: [],
  metadata: {},
  base_ref: null,
  base_sha: null,
  branch_name: null,
  notify: false,
  hold_renewal: false,
  created_by: 'operator',
  is_persons: true,
  local_conversation_id: null,
  instruction_id: null,
  current_step_index: 0,
  assigned_controller_id: null,
  result_summary: null,
  error_code: null,
  error_text: null,
  cancel_requested_at: null,
  created_at: AT,
  updated_at: AT,
  started_at: null,
  finished_at: null,
  steps: [],
  runs: [],
  waiting_reason: null,
  unreadable: [],
  waits_for: 0,
  ...over,
});

describe('tasks show', () => {
  it('shows the times of a task as date and time', async () => {
    const { deps, stdout, stderr } = commandWorld(() => task({}));
    const code = await runCli(['tasks', 'show', TASK], deps);
    expect([code, stderr()]).toEqual([0, '']);
    expect(stdout()).toMatch(/created_at +2026-11-26 09:30:00 UTC/);
  });

  it('shows all that a person needs to decide about a step', async () => {
    const summary = 'Is this right?\n\n a.txt | 2 +-';
    const blocked = step({ kind: 'review', status: 'blocked', run_id: RUN, summary, error_code: 'needs_human' });
    const { deps, stdout } = commandWorld(() => task({ status: 'blocked', steps: [blocked] }));
    await runCli(['tasks', 'show', TASK, '--root', '/srv/other'], deps);
    expect(stdout()).toContain('step_1 waits for a person\n  Is this right?\n  \n   a.txt | 2 +-\n');
    expect(stdout()).toContain(`its changes: conductor runs patch ${RUN} --root /srv/other`);
    expect(stdout()).toContain('conductor steps resolve step_1 --outcome done --note WHY --root /srv/other');
  });

  it('names what a node must have that may run the next step', async () => {
    const agent = step({ kind: 'agent', input: { agent: 'claude' } });
    const { deps, stdout } = commandWorld(() =>
      task({ repo: 'app', constraints: { target_host: 'mini' }, steps: [agent], waiting_reason: 'waits_for_a_node' }),
    );
    await runCli(['tasks', 'show', TASK], deps);
    expect(stdout()).toContain(
      'it waits until the node of mini asks for work\n' +
        'that node must have app in [repos] and [agents.claude] in its config.toml, which an agent reads at its start',
    );
  });
});

describe('tasks show of a task that has ended', () => {
  const shown = async (over: object) => {
    const { deps, stdout } = commandWorld(() => task({ status: 'done', runs: [RUN_ROW], ...over }));
    await runCli(['tasks', 'show', TASK], deps);
    return stdout();
  };
  const agent = step({ kind: 'agent', input: { agent: 'codex' }, status: 'done' });
  const commit = step({ kind: 'git', input: { action: 'commit' }, status: 'done' });

  it('says where work is that no step has committed, and how to take it over', async () => {
    const text = await shown({ repo: 'app', steps: [agent] });
    expect(text).toContain(`in a clone of app: conductor runs patch ${RUN} | git apply --binary`);
    expect(text).toContain(`or look at worktrees/${TASK}, below the root of mini-main, for 14 days`);
  });

  it('says where its files are when it has no repository', async () => {
    expect(await shown({ steps: [step({ status: 'done' })] })).toContain(
      `what it has left: worktrees/${TASK}, below the root of mini-main, for 14 days`,
    );
  });

  it('says nothing of that when a step has committed it, or it has not ended', async () => {
    expect(await shown({ repo: 'app', steps: [agent, commit] })).not.toContain('worktrees/');
    expect(await shown({ repo: 'app', steps: [agent], status: 'running' })).not.toContain('worktrees/');
  });
});

describe('tasks show of a coding agent', () => {
  it('says what each step used in all its attempts', async () => {
    const usage = { input_tokens: 3000, cached_input_tokens: 600, output_tokens: 150, cost_usd: 0.016 };
    const { deps, stdout } = commandWorld(() => task({ steps: [step({ usage }), step({ step_id: 'step_2' })] }));
    expect(await runCli(['tasks', 'show', TASK], deps)).toBe(0);
    expect(stdout()).toContain('step_1 used 3000 tokens of input (600 of them cached), 150 tokens of output, $0.02');
    expect(stdout()).not.toContain('step_2 used');
  });
});

describe('runs show', () => {
  it('names the folder of the run, shows each line of its summary, and lists what it left on this host', async () => {
    const run = {
      ...RUN_ROW,
      created_at: AT,
      started_at: AT,
      finished_at: AT,
      progress: null,
      log: Object.fromEntries(
        ['stdout', 'stderr', 'lifecycle'].map((stream) => [stream, { bytes: 0, dropped_bytes: 0 }]),
      ),
    };
    const root = tempDir();
    const artifacts = join(root, 'runs', TASK, RUN, 'artifacts', 'dist');
    mkdirSync(artifacts, { recursive: true });
    writeFileSync(join(artifacts, 'app.js'), '12345');
    const { deps, stdout } = commandWorld(() => run);
    expect(await runCli(['runs', 'show', RUN, '--root', root], deps)).toBe(0);
    expect(stdout()).toMatch(/dist\/app\.js +5/);
    expect(stdout()).toContain(`runs/${TASK}/${RUN}, below the root of mini-main`);
    expect(stdout()).toContain('summary\n  one\n  two');
    expect(stdout()).toMatch(/finished_at +2026-11-26 09:30:00 UTC/);
  });
});

describe('runs patch', () => {
  const checkpoint = (seq: number, type: string) => ({
    run_id: RUN,
    seq,
    step_id: 'step_1',
    type,
    size: 3,
    sha256: 'a'.repeat(64),
    truncated: false,
    created_at: AT,
  });
  /** An edge whose list of checkpoints has two pages, a row on each. */
  const edge = (content: string | null) => (call: { path: string }) => {
    const seq = Number(/checkpoints\/(\d+)$/.exec(call.path)?.[1]);
    if (seq > 0) return { ...checkpoint(seq, 'git_diff'), content };
    if (call.path.includes('cursor=')) return { items: [checkpoint(4, 'git_diff')], next_cursor: null };
    return { items: [checkpoint(2, 'git_diff'), checkpoint(3, 'log_tail')], next_cursor: 'next' };
  };

  it('prints the bytes of the newest patch of the run', async () => {
    const { deps, out, calls } = commandWorld(edge(Buffer.from('diff\n').toString('base64')));
    expect(await runCli(['runs', 'patch', RUN], deps)).toBe(0);
    expect(out.join('')).toBe('diff\n');
    expect(calls.at(-1)?.path).toBe(`/v1/runs/${RUN}/checkpoints/4`);
  });

  it('names the file on the node when the edge has no content', async () => {
    const { deps, stderr } = commandWorld(edge(null));
    expect(await runCli(['runs', 'patch', RUN], deps)).toBe(1);
    expect(stderr()).toContain('read checkpoint 4 in the folder');
  });

  it('says when the run has saved none', async () => {
    const { deps, stderr } = commandWorld(() => ({ items: [checkpoint(1, 'summary')], next_cursor: null }));
    expect(await runCli(['runs', 'patch', RUN], deps)).toBe(1);
    expect(stderr()).toContain('has saved no patch');
  });
});
