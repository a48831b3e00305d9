/** Grants that the edge offers, judged by the host: its policy, and the folder as it is there. */
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ExecutionStore } from '../../../../local-agent/instructions/execution-store.ts';
import { block, finalMessage, InstructionHost, NODE_ID } from './instruction-host.ts';

let agent: InstructionHost;
afterEach(async () => agent.close());

const ARGV = ['true', 'a'];
const ASKING = { exec: { default: 'ask' } };

/** A message with that call; the edge offers a grant for `argv` and at most one further item in `folder`. */
function offer(
  params: Record<string, unknown> = { argv: ARGV },
  { policy = ASKING, prepare }: { policy?: unknown; prepare?: () => void } = {},
): void {
  agent = new InstructionHost({ policy });
  mkdirSync(join(agent.workspace, 'repo'));
  mkdirSync(join(agent.workspace, 'other'));
  prepare?.();
  agent.instructions.onFinalMessage(
    finalMessage(block(`@conductor::exec::${JSON.stringify({ cwd: 'repo', ...params })}`)),
    0,
  );
  const body = agent.pendingRequest('ingest');
  const { instructions } = JSON.parse(body.body) as { instructions: { approval?: { approval_hash: string } }[] };
  const approval_hash = instructions[0]?.approval?.approval_hash ?? 'a'.repeat(64);
  const grant = {
    grant_id: 'grant_1',
    approval_hash,
    argv: ['true'],
    further_items: 1,
    folder: join(agent.workspace, 'repo'),
  };
  agent.respond('ingest', {
    message_id: 'msg_1',
    local_conversation_id: 'lc_1',
    ingest_status: 'awaiting_approval',
    automation_status: 'manual',
    mode: 'running',
    mode_version: 1,
    instructions: [
      { instruction_id: 'ins_0', index: 0, status: 'awaiting_approval', claim_expires_in_ms: null, gate: null, grant },
    ],
  });
}

/** The requests of this host to use a grant. */
function uses(): unknown[] {
  return agent.store.db
    .prepare("SELECT path, body FROM outbox WHERE kind = 'grant_use'")
    .all()
    .map(({ path, body }) => ({ path, body: JSON.parse(String(body)) }));
}

describe('a grant that is offered to a host', () => {
  it('is asked for when it covers the call, by the hash of what was described', () => {
    offer();
    expect(uses()).toMatchObject([
      { path: '/v1/instructions/ins_0/use-grant', body: { controller_id: NODE_ID, grant_id: 'grant_1' } },
    ]);
  });

  it('that the edge does not let it use leaves the instruction to a person', () => {
    offer();
    agent.respond('grant_use', { instruction_id: 'ins_0', used: false, refusal: 'revoked' });
    const execution = new ExecutionStore(agent.store.db).execution('ins_0');
    expect(execution).toMatchObject({ status: 'awaiting_approval', approved_hash: null, started_at: null });
  });

  it.each([
    ['an option', { argv: ['true', '-x'] }],
    ['an argv that is too long', { argv: ['true', 'a', 'b'] }],
    ['variables', { argv: ARGV, env: { A: '1' } }],
    ['input', { argv: ARGV, stdin: 'x' }],
    ['a script', { command: 'true a' }],
    ['another folder', { argv: ARGV, cwd: 'other' }],
    ['the folder above', { argv: ARGV, cwd: '.' }],
  ])('is not used for a call with %s', (_what, params) => {
    offer(params);
    expect(uses()).toEqual([]);
  });

  it('is not used where the granted folder is now a link to another one', () => {
    offer(undefined, {
      prepare: () => {
        renameSync(join(agent.workspace, 'repo'), join(agent.workspace, 'moved'));
        symlinkSync(join(agent.workspace, 'other'), join(agent.workspace, 'repo'));
      },
    });
    expect(uses()).toEqual([]);
  });

  it('is used through a link that leads into the granted folder, which is where it runs', () => {
    offer(
      { argv: ARGV, cwd: 'link' },
      { prepare: () => symlinkSync(join(agent.workspace, 'repo'), join(agent.workspace, 'link')) },
    );
    expect(uses()).toHaveLength(1);
  });

  it.each([
    ['denies the call', { exec: { default: 'deny' } }],
    ['denies the platform', { platforms: { chatgpt: 'deny' } }],
    ['executes nothing', { mode: 'shadow' }],
  ])('is not used where the policy of the host %s', (_what, policy) => {
    offer(undefined, { policy });
    expect(uses()).toEqual([]);
  });
});
