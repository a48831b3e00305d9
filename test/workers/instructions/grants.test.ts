import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Grant, GrantUseResponse } from '../../../schema/contracts/grants.ts';
import type { ClaimedInstruction, InstructionDetailSchema } from '../../../schema/contracts/instructions.ts';
import { TOOL_NAMES } from '../../../schema/contracts/tools.ts';
import { Conductor, DESCRIBE, OTHER_NODE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { ASKED, bringTo, commandsFor, HASH, statusesOf, storyOf } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
const HOUR_MS = 3_600_000;
const FORM = { argv: ['git', 'add'], further_items: 1, folder: '/w', max_uses: 20, expires_in_ms: HOUR_MS };

/** A program that asks in the folder `/w`. */
function asked(params: Record<string, unknown> = { argv: ['git', 'add', 'a.ts'] }, cwd = '/w') {
  return { ...ASKED, params, approval: { ...ASKED.approval, cwd } };
}

/** A conversation with a message, and a grant for it. */
async function granted(more: Record<string, unknown> = {}) {
  const { local_conversation_id, remote } = await bringTo(conductor, [DESCRIBE]);
  await endClaimed();
  const body = { local_conversation_id, ...FORM, ...more };
  const grant = await edge.data<Grant>('POST', '/v1/grants', { body });
  return { grant, remote, local_conversation_id };
}

/** What is claimed ends, so that no conversation is busy. */
async function endClaimed(): Promise<void> {
  const { items } = await edge.data<{ items: { instruction_id: string }[] }>(
    'GET',
    '/v1/instructions?status=claimed&limit=200',
  );
  for (const { instruction_id } of items) await conductor.result(instruction_id);
}

const offered = (instructions: readonly ClaimedInstruction[]) => instructions.map(({ grant }) => grant?.grant_id);
const use = (id: string | undefined, grant: Pick<Grant, 'grant_id'>, nodeId = NODE) =>
  conductor.act<GrantUseResponse>(
    `/v1/instructions/${id}/use-grant`,
    { grant_id: grant.grant_id, approval_hash: HASH },
    nodeId,
  );
const usesOf = async ({ grant_id, local_conversation_id }: Grant) => {
  const path = `/v1/grants?local_conversation_id=${local_conversation_id}`;
  const { items } = await edge.data<{ items: Grant[] }>('GET', path);
  return items.find((one) => one.grant_id === grant_id)?.uses;
};
const detailOf = (id: string | undefined) =>
  edge.data<z.infer<typeof InstructionDetailSchema>>('GET', `/v1/instructions/${id}`);

describe('a grant of a person', () => {
  it('is refused for a shell that would take further items as a script', async () => {
    const { local_conversation_id } = await bringTo(conductor, [DESCRIBE]);
    await endClaimed();
    const body = { local_conversation_id, ...FORM, argv: ['sh', '-c'] };
    const refused = await edge.error('POST', '/v1/grants', { body });
    expect(refused).toMatchObject({ status: 400, error: 'invalid_request', details: { field: 'further_items' } });
  });

  it('lets an instruction run that its node has judged to be covered, counted and journalled under its name', async () => {
    const { grant, remote } = await granted();
    const { ids, message_id, instructions } = await bringTo(conductor, [asked()], remote);
    expect(instructions[0]?.grant).toEqual({
      grant_id: grant.grant_id,
      approval_hash: HASH,
      argv: ['git', 'add'],
      further_items: 1,
      folder: '/w',
    });
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
    expect(await use(ids[0], grant)).toEqual({ instruction_id: ids[0], used: true, refusal: null });
    expect(await statusesOf(message_id)).toEqual(['claimed']);
    expect(await usesOf(grant)).toBe(1);
    expect(await storyOf(ids[0])).toEqual(['observed', 'judged', 'approved', 'claimed']);
    const { events, ...detail } = await detailOf(ids[0]);
    // The folder stays: a person's call that makes the grant of it can be repeated.
    expect(detail).toMatchObject({ grant_id: grant.grant_id, approval: null, asked_folder: '/w' });
    expect(events.find(({ kind }) => kind === 'approved')).toMatchObject({
      controller_id: NODE,
      detail: { by: grant.created_by, grant_id: grant.grant_id, rule: 'exec.default', approval_hash: HASH },
    });
    const decisions = await commandsFor(conductor, 'approval.decided');
    expect(decisions.filter(({ body }) => body.instruction_id === ids[0])).toMatchObject([
      { body: { decision: 'approved', approval_hash: HASH } },
    ]);
    await endClaimed();
  });

  it('is offered for an instruction that is described in its turn, too', async () => {
    const { grant, remote } = await granted();
    const { approval, ...later } = asked();
    const { ids, message_id } = await bringTo(conductor, [DESCRIBE, later], remote);
    await conductor.result(ids[0] ?? '');
    const items = [{ instruction_id: ids[1], approval }];
    const path = `/v1/messages/${message_id}/progress`;
    const { instructions } = await conductor.act<{ instructions: ClaimedInstruction[] }>(path, { items });
    expect(offered(instructions)).toEqual([undefined, grant.grant_id]);
  });

  it.each([
    ['an option', { argv: ['git', 'add', '-A'] }, '/w'],
    ['a longer argv', { argv: ['git', 'add', 'a', 'b'] }, '/w'],
    ['another program', { argv: ['gitk', 'add'] }, '/w'],
    ['a script', { command: 'git add' }, '/w'],
    ['variables', { argv: ['git', 'add'], env: { A: '1' } }, '/w'],
    ['input', { argv: ['git', 'add'], stdin: '' }, '/w'],
    ['another folder', { argv: ['git', 'add'] }, '/w/sub'],
  ])('is not offered for a call with %s, and a node that claims so is refused', async (_what, params, cwd) => {
    const { grant, remote } = await granted();
    const { ids, message_id, instructions } = await bringTo(conductor, [asked(params, cwd)], remote);
    expect(offered(instructions)).toEqual([undefined]);
    expect((await use(ids[0], grant)).refusal).toBe('not_covered');
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
    expect(await usesOf(grant)).toBe(0);
  });

  it('holds in its conversation and on its node only', async () => {
    const { grant } = await granted();
    const inAnother = await bringTo(conductor, [asked()]);
    expect(offered(inAnother.instructions)).toEqual([undefined]);
    expect((await use(inAnother.ids[0], grant)).refusal).toBe('unknown');
    const other = await granted({ controller_id: OTHER_NODE });
    const onThis = await bringTo(conductor, [asked()], other.remote);
    expect(offered(onThis.instructions)).toEqual([undefined]);
    expect((await use(onThis.ids[0], other.grant)).refusal).toBe('unknown');
    const token = await conductor.token(OTHER_NODE);
    const body = { controller_id: OTHER_NODE, grant_id: grant.grant_id, approval_hash: HASH };
    const stolen = await edge.error('POST', `/v1/instructions/${onThis.ids[0]}/use-grant`, { token, body });
    expect(stolen.error).toBe('not_owner');
  });

  it('that is revoked after it was offered leaves the instruction to a person, who can still approve it', async () => {
    const { grant, remote } = await granted();
    const { ids, message_id, instructions } = await bringTo(conductor, [asked()], remote);
    expect(offered(instructions)).toEqual([grant.grant_id]);
    const revoked = await edge.data<Grant>('DELETE', `/v1/grants/${grant.grant_id}`);
    expect(revoked).toMatchObject({ revoked_by: grant.created_by, revoked_at: edge.now });
    expect((await use(ids[0], grant)).refusal).toBe('revoked');
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
    expect(
      (await edge.call('POST', `/v1/instructions/${ids[0]}/approve`, { body: { approval_hash: HASH } })).status,
    ).toBe(200);
    await endClaimed();
  });

  it('that a jump of the clock has ended after it was offered is not used', async () => {
    const { grant, remote } = await granted();
    const { ids } = await bringTo(conductor, [asked()], remote);
    edge.now += HOUR_MS;
    expect((await use(ids[0], grant)).refusal).toBe('expired');
    expect(offered((await bringTo(conductor, [asked()], remote)).instructions)).toEqual([undefined]);
    expect(await usesOf(grant)).toBe(0);
  });

  it('is used no more often than it says when all its instructions ask for it at once', async () => {
    const { grant, remote } = await granted({ max_uses: 2 });
    const asking = await Promise.all([1, 2, 3, 4].map(() => bringTo(conductor, [asked()], remote)));
    const ids = asking.map((one) => one.ids[0]);
    const first = await use(ids[0], grant);
    expect(first.used).toBe(true);
    await conductor.result(ids[0] ?? '');
    const rest = await Promise.all(ids.slice(1).map((id) => use(id, grant)));
    expect(rest.filter(({ used }) => used)).toHaveLength(1);
    expect(await usesOf(grant)).toBe(2);
    await endClaimed();
    const late = await bringTo(conductor, [asked()], remote);
    expect(offered(late.instructions)).toEqual([undefined]);
    expect((await use(late.ids[0], grant)).refusal).toBe('used_up');
  });

  it.each([
    ['was used up', 'UPDATE grants SET uses = max_uses WHERE grant_id = ?', 'used_up'],
    ['was revoked', 'UPDATE grants SET revoked_at = 1 WHERE grant_id = ?', 'revoked'],
    [
      'was used by this instruction',
      `UPDATE instructions SET grant_id = ? WHERE status = 'awaiting_approval'`,
      'used_before',
    ],
  ])('is not used when it %s between the reading and the writing of a use', async (_what, rival, refusal) => {
    const { grant, remote } = await granted();
    const { ids, message_id } = await bringTo(conductor, [asked()], remote);
    const response = await edge.race(
      () => use(ids[0], grant),
      () => rowsOf(rival, grant.grant_id),
    );
    expect(response).toMatchObject({ used: false, refusal });
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
    await edge.data('POST', `/v1/instructions/${ids[0]}/deny`, { body: { approval_hash: HASH } });
  });

  it('counts one use for an instruction, however often its node asks', async () => {
    const { grant, remote } = await granted();
    const { ids } = await bringTo(conductor, [asked()], remote);
    const all = await Promise.all([1, 2, 3].map(() => use(ids[0], grant)));
    expect(all.filter(({ used }) => used)).toHaveLength(1);
    expect(all.filter(({ refusal }) => refusal === 'not_asked')).toHaveLength(2);
    expect(await usesOf(grant)).toBe(1);
    await endClaimed();
  });

  it('lifts neither a pause of the system nor one of the conversation', async () => {
    const { grant, remote, local_conversation_id } = await granted();
    const { ids, message_id } = await bringTo(conductor, [asked()], remote);
    await conductor.mode('pause');
    expect((await use(ids[0], grant)).refusal).toBe('gated');
    await conductor.mode('resume');
    await conductor.automation(local_conversation_id, 'paused');
    expect((await use(ids[0], grant)).refusal).toBe('gated');
    await conductor.automation(local_conversation_id, 'resume');
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
    expect((await use(ids[0], grant)).used).toBe(true);
    await endClaimed();
  });

  it('is used for nothing but what was described', async () => {
    const { grant, remote } = await granted();
    const { ids } = await bringTo(conductor, [asked()], remote);
    const body = { grant_id: grant.grant_id, approval_hash: 'b'.repeat(64) };
    const response = await conductor.act<GrantUseResponse>(`/v1/instructions/${ids[0]}/use-grant`, body);
    expect(response.refusal).toBe('not_asked');
  });
});

describe('making a grant', () => {
  it('takes a person: neither a node nor a reader may, and no chat has a tool for it', async () => {
    const { local_conversation_id } = await bringTo(conductor, [ASKED]);
    const body = { local_conversation_id, ...FORM };
    const { token: reader } = await edge.mint('readonly');
    for (const token of [await conductor.token(), reader]) {
      expect((await edge.error('POST', '/v1/grants', { token, body })).error).toBe('forbidden');
      expect((await edge.error('GET', '/v1/grants', { token })).error).toBe('forbidden');
    }
    expect(TOOL_NAMES.filter((name) => name.includes('grant') || name.includes('approve'))).toEqual([]);
  });

  it('names the node of the newest message when none is named, and is in the audit like its revocation', async () => {
    const { grant, local_conversation_id } = await granted();
    expect(grant).toMatchObject({ controller_id: NODE, uses: 0, expires_at: grant.created_at + HOUR_MS });
    await edge.data('DELETE', `/v1/grants/${grant.grant_id}`);
    await edge.data('DELETE', `/v1/grants/${grant.grant_id}`);
    const { items } = await edge.data<{ items: { action: string; subject_id: string }[] }>('GET', '/v1/audit?limit=50');
    const own = items.filter(({ subject_id }) => subject_id === grant.grant_id).map(({ action }) => action);
    expect(own).toContain('POST /v1/grants');
    expect(own).toContain('DELETE /v1/grants/:grant_id');
    const list = await edge.data<{ items: Grant[] }>(
      'GET',
      `/v1/grants?local_conversation_id=${local_conversation_id}`,
    );
    expect(list.items.map(({ grant_id }) => grant_id)).toEqual([grant.grant_id]);
  });

  it('is refused for a conversation that is not there, and beyond the most of one conversation', async () => {
    const body = { local_conversation_id: `lc_${'0'.repeat(26)}`, ...FORM };
    expect((await edge.error('POST', '/v1/grants', { body })).error).toBe('conversation_not_found');
    const { grant, local_conversation_id } = await granted();
    for (let n = 1; n < 16; n += 1) {
      await edge.data('POST', '/v1/grants', { body: { ...body, local_conversation_id } });
    }
    expect((await edge.error('POST', '/v1/grants', { body: { ...body, local_conversation_id } })).error).toBe(
      'conflict',
    );
    await edge.data('DELETE', `/v1/grants/${grant.grant_id}`);
    await edge.data('POST', '/v1/grants', { body: { ...body, local_conversation_id } });
    expect((await edge.error('DELETE', `/v1/grants/grant_${'0'.repeat(26)}`)).error).toBe('grant_not_found');
  });
});
