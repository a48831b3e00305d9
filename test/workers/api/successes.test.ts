import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { IngestResponse } from '../../../schema/contracts/instructions.ts';
import { newId } from '../../../schema/ids.ts';
import { openApiDocument } from '../../../workers/http/openapi.ts';
import { ROUTES } from '../../../workers/routes.ts';
import { OTHER_NODE, Renewals } from '../renewal/support.ts';
import { DESCRIBE, EXEC, instructionsOf } from '../support/conductor.ts';
import type { Call, Reply } from '../support/edge.ts';
import { NODE, rowsOf } from '../support/edge.ts';

// A day of a small conductor, so that every route succeeds: its responses match the schemas of the OpenAPI document, and
// its writes are in the audit. A new route is called here, or named among those that another test calls.
const CALLED_IN_OTHER_TESTS: Record<string, string> = {
  'GET /v1/controllers/:controller_id/channel': 'coordination.test.ts',
  'GET /artifact/:artifact_id/:signature': 'frame.test.ts',
  'GET /v1/status/ui': 'status-page.test.ts',
  'POST /v1/session/links': 'status-page.test.ts',
  'GET /v1/session/link/:code': 'status-page.test.ts',
  'POST /v1/system/restore-check': 'objects, restore-check',
  'POST /v1/steps/:step_id/logs': 'tasks, logs',
  'POST /v1/steps/:step_id/fail': 'tasks, life',
  'POST /v1/steps/:step_id/resolve': 'tasks, life',
  'POST /v1/messages/:message_id/resubmit': 'instructions',
  'POST /v1/messages/:message_id/claim': 'instructions',
  'POST /mcp': 'mcp',
  'POST /v1/instructions/:instruction_id/output': 'instructions',
  'POST /v1/instructions/:instruction_id/approve': 'instructions',
  'POST /v1/instructions/:instruction_id/deny': 'instructions',
  'POST /v1/notices/test': 'notices',
  'POST /v1/instructions/:instruction_id/use-grant': 'instructions, grants',
  'POST /v1/instructions/:instruction_id/resolve': 'instructions, resolve',
  'POST /v1/conversations/:local_conversation_id/ask': 'asks',
  'GET /v1/asks/:operation_id': 'asks',
  'POST /v1/renewal/conversations/:local_conversation_id/forget': 'forget',
  'POST /v1/renewal/conversations/:local_conversation_id/keep': 'forget',
  'GET /v1/grants': 'instructions, grants',
  'GET /v1/search/texts': 'search-texts.test.ts',
  'POST /v1/grants': 'instructions, grants',
  'DELETE /v1/grants/:grant_id': 'instructions, grants',
  'POST /v1/browser/:platform/send': 'browser',
  'POST /v1/browser/:platform/current': 'browser',
  'POST /v1/browser/clients/:client_id/resume': 'browser',
};

const day = new Renewals();
const { edge } = day;
const specs = ROUTES.map(({ spec }) => spec);
const document = JSON.parse(JSON.stringify(openApiDocument(specs)).replaceAll('#/components/schemas/', '#/$defs/'));
const nameOf = ({ method, path }: { method: string; path: string }) => `${method.toUpperCase()} ${path}`;

/** The successful responses of each route. */
const seen = new Map<string, Reply[]>();
const call = edge.call.bind(edge);
edge.call = async (method: string, path: string, given: Call = {}) => {
  const reply = await call(method, path, given);
  const line = edge.lines.findLast(({ request_id }) => request_id === reply.headers.get('x-request-id'));
  const name = `${method} ${line?.path}`;
  if (reply.status < 400) seen.set(name, [...(seen.get(name) ?? []), reply]);
  return reply;
};

async function playInstructions(): Promise<IngestResponse> {
  const bring = (...drafts: Parameters<typeof instructionsOf>) =>
    day.bring(day.message({ remote_conversation_id: `day-${edge.now++}`, instructions: instructionsOf(...drafts) }));
  const { instructions, message_id } = await bring(DESCRIBE, EXEC);
  const [edgeTool, exec] = instructions.map((one) => one.instruction_id);
  await day.act(`/v1/instructions/${edgeTool}/run`);
  await day.act(`/v1/instructions/${exec}/started`);
  await day.result(exec ?? '', { output: 'x'.repeat(5_000) });
  await day.act(`/v1/messages/${message_id}/reply`, { outcome: 'delivered', reason: null, attempt: 1 });
  const reported = await bring(EXEC);
  await day.act(`/v1/messages/${reported.message_id}/progress`, {
    items: reported.instructions.map(({ instruction_id }) => ({ instruction_id, started: true })),
  });
  const canceled = await bring(EXEC);
  await edge.data('POST', `/v1/instructions/${canceled.instructions[0]?.instruction_id}/cancel`, { body: {} });
  return { ...canceled, message_id, instructions };
}

async function playRenewals(): Promise<string> {
  const { command, job, local_conversation_id } = await day.sent();
  await day.respond(command, 'delivered', { method: 'replay', http_status: 200 });
  for (const change of ['manual', 'auto', 'paused', 'resume'] as const)
    await day.automation(local_conversation_id, change);
  const { message_id } = await day.settled();
  await day.project();
  const waiting = await day.jobOf(message_id);
  await edge.data('POST', `/v1/renewal/jobs/${waiting.job_id}/cancel`, { body: {} });
  await rowsOf("UPDATE renewal_jobs SET status = 'failed', last_error = 'timeout' WHERE job_id = ?", waiting.job_id);
  await edge.data('POST', `/v1/renewal/jobs/${waiting.job_id}/retry`, { body: {} });
  await edge.data('PUT', '/v1/renewal/settings', { body: { settings: { max_per_day: 5 } } });
  await edge.data('PUT', '/v1/notices', { body: { address: null } });
  await edge.data('GET', '/v1/notices/hours');
  return job.job_id;
}

/** One task that is handed over while it runs and then done, and one that is canceled and tried again. */
async function playTasks(): Promise<{ task_id: string; run_id: string; step_id: string; seq: string }> {
  const steps = [{ kind: 'shell', name: 'say hello', input: { argv: ['echo', 'hello'] } }];
  const body = { task_type: 'shell', title: 'a task', goal: 'say hello' };
  const { task_id } = await edge.data<{ task_id: string }>('POST', '/v1/tasks', { body });
  await edge.data('POST', `/v1/tasks/${task_id}/plan`, { body: { steps } });
  const { term } = await edge.data<{ term: number }>('GET', '/v1/leader');
  const claim = { claim_key: 'of-the-day', term, repos: [], executors: ['shell'] };
  const { run_id, step_id } = await day.act<{ run_id: string; step_id: string }>('/v1/tasks/claim', claim);
  const report = async (what: string, more: object = {}) =>
    edge.data('POST', `/v1/steps/${step_id}/${what}`, { token: await day.token(), body: { run_id, ...more } });
  await report('heartbeat', { checkpoint_seq: 0, started: true });
  const sha256 = 'a'.repeat(64);
  await report('checkpoint', { seq: 1, type: 'summary', size: 9_000_000, sha256, truncated: true });
  await edge.data('POST', `/v1/tasks/${task_id}/hand-over`, { body: {} });
  await report('complete', { exit_code: 0, summary: 'hello', usage: { output_tokens: 1 } });
  const other = await edge.data<{ task_id: string }>('POST', '/v1/tasks', { body: { ...body, steps } });
  await edge.data('POST', `/v1/tasks/${other.task_id}/cancel`, { body: {} });
  await edge.data('POST', `/v1/tasks/${other.task_id}/retry`, { body: {} });
  for (const on of [true, false]) await edge.data('POST', `/v1/controllers/${NODE}/drain`, { body: { on } });
  return { task_id, run_id, step_id, seq: '1' };
}

async function playNode(): Promise<void> {
  const identity = { host: 'mini', role: 'primary', priority: 1, status: 'leader', version: '1.0.0' };
  await day.act('/v1/controllers/heartbeat', identity);
  await edge.data('PUT', `/v1/controllers/${NODE}/clients/firefox-1`, {
    token: await day.token(),
    body: { connected: true, platforms: [], tabs: [] },
  });
  await edge.data('GET', `/v1/controllers/${NODE}/commands`, { token: await day.token() });
  await edge.data('PUT', `/v1/controllers/${OTHER_NODE}/clients/firefox-moving`, {
    token: await day.token(OTHER_NODE),
    body: { connected: true, platforms: [], tabs: [] },
  });
  await edge.data('POST', '/v1/browser/clients/firefox-moving/move', { body: { controller_id: NODE } });
  const receipts = [{ command_id: newId('command', edge.now), accepted: true }];
  await edge.data('POST', `/v1/controllers/${NODE}/receipts`, { token: await day.token(), body: { receipts } });
}

async function playOperator(): Promise<string> {
  const { token_id, token } = await edge.mint('browser_admin');
  await edge.data('POST', '/v1/session', { token: null, body: { token } });
  await edge.data('DELETE', '/v1/session', { token });
  for (const mode of ['drain', 'pause', 'resume'] as const) await day.mode(mode);
  await edge.data('POST', '/v1/timed-jobs/tick', { body: {} });
  await edge.data('POST', `/v1/tokens/${token_id}/rotate`, { body: {} });
  await edge.data('DELETE', `/v1/tokens/${token_id}`);
  return token_id;
}

beforeAll(async () => {
  await day.lead();
  await playNode();
  const { message_id, local_conversation_id, instructions } = await playInstructions();
  const job_id = await playRenewals();
  const tasks = await playTasks();
  const token_id = await playOperator();
  const [artifact] = await rowsOf<{ artifact_id: string }>('SELECT artifact_id FROM artifacts');
  const known: Record<string, string | undefined> = {
    controller_id: NODE,
    instruction_id: instructions[1]?.instruction_id,
    artifact_id: artifact?.artifact_id,
    ...{ message_id, local_conversation_id, job_id, token_id },
    ...tasks,
  };
  const reads = specs.filter((spec) => spec.method === 'get' && !(nameOf(spec) in CALLED_IN_OTHER_TESTS));
  for (const spec of reads) {
    const path = spec.path.replace(/:([a-z_]+)/g, (_all, name: string) => known[name] ?? `no-${name}`);
    const fields = spec.query instanceof z.ZodObject ? Object.keys(spec.query.shape) : [];
    const query = [
      fields.includes('wait_ms') ? '?wait_ms=0' : '',
      fields.includes('controller_id') ? `?controller_id=${NODE}` : '',
    ].join('');
    if (!seen.has(nameOf(spec))) await edge.call('GET', path + query);
  }
  const { term } = await edge.data<{ term: number }>('GET', '/v1/leader');
  await day.act('/v1/leader/release', { term });
});

const calledHere = specs.filter((spec) => !(nameOf(spec) in CALLED_IN_OTHER_TESTS));

const named = calledHere.map((spec) => ({ name: nameOf(spec), spec }));

describe('a success', () => {
  it.each(named)('of $name has the documented fields and no other', ({ name, spec }) => {
    const replies = seen.get(name) ?? [];
    expect(replies.length, 'never succeeded').toBeGreaterThan(0);
    const { responses } = document.paths[spec.path.replace(/:([a-z_]+)/g, '{$1}')][spec.method];
    for (const { status, text, headers } of replies) {
      const [[media = '', described] = []] = Object.entries<{ schema: object }>(responses[status]?.content ?? {});
      expect(headers.get('content-type'), `${status}`).toContain(media);
      if (media !== 'application/json' || described === undefined) continue;
      const schema = z.fromJSONSchema({ ...described.schema, $defs: document.components.schemas });
      const response = JSON.parse(text);
      expect(schema.safeParse(response), text).toMatchObject({ success: true });
      if (spec.produces === undefined) expect(spec.data.parse(response.data)).toEqual(response.data);
    }
  });

  it.each(named.filter(({ spec }) => spec.method !== 'get'))(
    'of $name is recorded with actor and role, in the audit or the journal',
    async ({ name }) => {
      const requestIds = (seen.get(name) ?? []).map(({ headers }) => headers.get('x-request-id'));
      const rows = await rowsOf<{ actor: string; role: string; request_id: string }>(
        `SELECT actor, role, request_id FROM audit WHERE action = ?1
          UNION ALL SELECT written_by->>'actor', written_by->>'role', written_by->>'request_id' FROM journal_blocks
            WHERE written_by->>'action' = ?1`,
        name,
      );
      const own = rows.filter(({ request_id }) => requestIds.includes(request_id));
      expect(own.length, 'no row of any of these writes').toBeGreaterThan(0);
      for (const { actor, role } of own) expect([actor, role]).not.toContain('');
    },
  );
});

it('the routes that other tests call exist', () => {
  expect(specs.map(nameOf)).toEqual(expect.arrayContaining(Object.keys(CALLED_IN_OTHER_TESTS)));
});
