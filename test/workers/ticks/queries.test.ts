import { beforeAll, describe, expect, inject, it } from 'vitest';
import { TIMED_JOBS } from '../../../schema/defaults.ts';
import { openDatabase } from '../../../workers/db/open.ts';
import { settings } from '../../../workers/settings.ts';
import type { Runner, RunnerContext } from '../../../workers/timed-jobs/job.ts';
import { RUNNERS } from '../../../workers/timed-jobs/registry.ts';
import { FRAMEWORK_QUERIES, reservedQueries } from '../../../workers/timed-jobs/run-jobs.ts';
import { ASKED } from '../instructions/support.ts';
import { Renewals } from '../renewal/support.ts';
import { EXEC, instructionsOf } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const DAY_MS = 86_400_000;
const runnerOf = (name: string): Runner => {
  const found = RUNNERS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no job is named ${name}`);
  return found;
};

/** The D1 statements of one run, with room for so many items. */
async function queriesOf(name: string, items = Number.POSITIVE_INFINITY): Promise<number> {
  const db = openDatabase(edge.env.DB);
  let left = items;
  const deferred: Promise<void>[] = [];
  const context: RunnerContext = {
    env: edge.env,
    db,
    now: edge.now,
    random: () => 0.5,
    mode: 'running',
    settings: settings(edge.env),
    batch_id: 'tick_queries',
    trigger: 'manual',
    log: () => undefined,
    hasRoom: () => left-- > 0,
    defer: (work) => void deferred.push(work),
  };
  await runnerOf(name).run(context);
  await Promise.all(deferred);
  return db.usage.queries;
}

/** A task that reports its end into a chat whose browser is in contact. */
async function createdByChat(more: object = {}): Promise<{ task_id: string }> {
  const { local_conversation_id } = await renewals.settled('manual');
  const steps = [{ kind: 'shell', name: 'one', input: { argv: ['true'] } }];
  const created = await edge.data<{ task_id: string }>('POST', '/v1/tasks', {
    body: { task_type: 'shell', title: 'a task', goal: 'x', notify: true, steps: [...steps, ...steps], ...more },
  });
  await rowsOf('UPDATE tasks SET local_conversation_id = ? WHERE task_id = ?', local_conversation_id, created.task_id);
  await renewals.heard(NODE);
  return created;
}

let claims = 0;
async function claimed(): Promise<{ run_id: string; step_id: string }> {
  const { term } = await edge.data<{ term: number }>('GET', '/v1/leader');
  claims += 1;
  return renewals.act('/v1/tasks/claim', { claim_key: `claim-${claims}`, term, repos: [], executors: ['shell'] });
}

async function fail({ run_id, step_id }: { run_id: string; step_id: string }): Promise<void> {
  const body = { run_id, status: 'failed', error_code: 'exit_code', final: true };
  await edge.data('POST', `/v1/steps/${step_id}/fail`, { token: await renewals.token(), body });
}

/** What makes each job do everything that it can do, with one item for those that work off items one by one. */
const MAXIMA: Record<string, () => Promise<unknown>> = {
  'instructions.expire': async () => {
    const answered = await renewals.bring(renewals.message({ instructions: instructionsOf(EXEC) }));
    await renewals.result(answered.instructions[0]?.instruction_id ?? '');
    // Its end is the third failure in a row, which pauses the conversation.
    const instructions = instructionsOf(EXEC);
    const failing = await renewals.settled('auto', { instructions });
    await rowsOf(
      'UPDATE local_conversations SET execution_failures = 2 WHERE local_conversation_id = ?',
      failing.local_conversation_id,
    );
    edge.now += DAY_MS;
  },
  'approvals.expire': async () => {
    const ask = { ...EXEC, policy: { decision: 'ask', rule: 'test' } as const };
    await renewals.settled('auto', { instructions: instructionsOf(ask, EXEC) });
    edge.now += DAY_MS;
  },
  'steps.reconcile': async () => {
    const { task_id } = await createdByChat();
    await createdByChat({ constraints: { after: [task_id] } });
    await claimed();
    // Its last attempt: the task ends with it, and its chat gets a notice.
    await rowsOf('UPDATE steps SET max_attempts = 1');
    edge.now += DAY_MS;
  },
  'tasks.notices': async () => {
    for (let at = 0; at < 3; at += 1) {
      await createdByChat();
      await fail(await claimed());
    }
  },
  // A question that leaves after the browser has deferred it.
  asks: async () => {
    const { local_conversation_id } = await renewals.settled('manual');
    const body = { operation_id: 'of-the-queries', text: 'x' };
    await edge.data('POST', `/v1/conversations/${local_conversation_id}/ask`, { body });
    await rowsOf("UPDATE asks SET state = 'queued', controller_id = NULL, due_at = ?", edge.now);
    await renewals.heard(NODE);
  },
  // A message whose program has printed something.
  'conversations.forget': async () => {
    const { local_conversation_id, instructions } = await renewals.settled('manual', {
      instructions: instructionsOf(EXEC),
    });
    const id = instructions[0]?.instruction_id ?? '';
    await renewals.act(`/v1/instructions/${id}/started`);
    await renewals.act(`/v1/instructions/${id}/output`, { offset: 0, chunk: 'printed' });
    await renewals.result(id);
    await rowsOf('UPDATE messages SET reply_due_at = NULL WHERE local_conversation_id = ?', local_conversation_id);
    edge.now += 1;
    await edge.data('POST', `/v1/renewal/conversations/${local_conversation_id}/forget`, { body: {} });
  },
  // An old message whose program has printed something.
  'texts.retention': async () => {
    Object.assign(edge.env, { BAA_TEXTS_KEPT_DAYS: '7' });
    await rowsOf(
      "INSERT OR REPLACE INTO runner_cursors (runner, position, updated_at) VALUES ('texts.retention/default', 7, 0)",
    );
    const { instructions } = await renewals.settled('manual', { instructions: instructionsOf(EXEC) });
    const id = instructions[0]?.instruction_id ?? '';
    await renewals.act(`/v1/instructions/${id}/started`);
    await renewals.act(`/v1/instructions/${id}/output`, { offset: 0, chunk: 'printed' });
    await renewals.result(id);
    await rowsOf('UPDATE messages SET reply_due_at = NULL');
    edge.now += 365 * DAY_MS;
  },
  // An approval of which no one has been notified.
  notices: async () => {
    Object.assign(edge.env, { BAA_NOTICES_LOCAL: '1' });
    await edge.data('PUT', '/v1/notices', { body: { address: `${inject('receiver')}/accepts/queries` } });
    await renewals.settled('auto', { instructions: instructionsOf(ASKED) });
  },
  'tasks.retention': async () => {
    await edge.data('POST', `/v1/tasks/${(await createdByChat()).task_id}/cancel`, { body: {} });
    edge.now += 365 * DAY_MS;
  },
  'deliveries.reconcile': async () => {
    const { job } = await renewals.sent();
    await renewals.sent();
    await rowsOf('UPDATE renewal_jobs SET last_attempt_at = 0 WHERE job_id = ?', job.job_id);
    edge.now += 60_000;
  },
  'commands.expire': async () => {
    await renewals.sent();
    edge.now += DAY_MS;
  },
  'renewal.projector': async () => {
    const marked = await renewals.settled();
    await renewals.project();
    const held = await renewals.settled();
    await rowsOf(
      "UPDATE local_conversations SET cooldown_until = ?, cooldown_reason = 'cooldown' WHERE local_conversation_id = ?",
      edge.now + DAY_MS,
      held.local_conversation_id,
    );
    await rowsOf(
      'UPDATE local_conversations SET project_at = ? WHERE local_conversation_id = ?',
      edge.now,
      marked.local_conversation_id,
    );
    await renewals.settled();
    await renewals.settled('manual');
  },
  'renewal.dispatcher': async () => {
    const circling = await renewals.settled();
    await renewals.settled();
    await renewals.project();
    await rowsOf(
      'UPDATE local_conversations SET renewals_without_effect = 100 WHERE local_conversation_id = ?',
      circling.local_conversation_id,
    );
  },
  retention: async () => {
    await renewals.sent();
    await edge.call('POST', '/v1/tokens', {
      body: { role: 'readonly', subject: 'a reader' },
      headers: { 'idempotency-key': 'once' },
    });
    edge.now += 365 * DAY_MS;
  },
};

describe('the D1 statements of a job', () => {
  it.each(RUNNERS.map((one) => one.name))(
    '%s are those that it declares, when there is everything to do',
    async (name) => {
      await MAXIMA[name]?.();
      const { base, each = 0 } = runnerOf(name).queries;
      const items = each === 0 ? 0 : 1;
      expect(await queriesOf(name, items)).toBe(base + items * each);
    },
  );

  it('fit into a tick, with one item of any one job', () => {
    const all = reservedQueries(RUNNERS);
    expect(all - FRAMEWORK_QUERIES).toBe(RUNNERS.reduce((sum, one) => sum + one.queries.base, 0));
    for (const { name, queries } of RUNNERS) {
      expect(all + (queries.each ?? 0), name).toBeLessThanOrEqual(TIMED_JOBS.tick_queries);
    }
  });
});
