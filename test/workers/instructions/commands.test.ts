import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { nodeHub } from '../../../durable-objects/stubs.ts';
import { EdgeFrameSchema } from '../../../schema/contracts/channel-frames.ts';
import { CommandListResponseSchema } from '../../../schema/contracts/commands.ts';
import { TestNode } from '../objects/support.ts';
import { Conductor } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { ASKED, bringTo, HASH } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;

const insert = (id: string, kind = 'instruction.cancel') =>
  env.DB.prepare(
    `INSERT INTO commands (command_id, controller_id, kind, body, status, created_at, expires_at)
     VALUES (?, ?, ?, '{"instruction_id":"ins_1"}', 'pending', ?, ?)`,
  )
    .bind(id, NODE, kind, edge.now, edge.now + 60_000)
    .run();
const ids = (letter: string) => `cmd_${letter.repeat(26)}`;

describe('the commands of a node', () => {
  it('commands are listed in the order in which they were stored, not of their ids, so that none is skipped', async () => {
    const token = await conductor.token();
    const list = async (query: string) => {
      const path = `/v1/controllers/${NODE}/commands?${query}`;
      const { items, next_cursor } = CommandListResponseSchema.parse(await edge.data('GET', path, { token }));
      return { ids: items.map((command) => command.command_id), next_cursor };
    };
    await insert(ids('m'));
    expect((await list('')).ids).toEqual([ids('m')]);
    // An id that was made earlier on another machine, and is stored later.
    await insert(ids('a'));
    await insert(ids('z'));
    expect((await list(`after=${ids('m')}`)).ids).toEqual([ids('a'), ids('z')]);
    const first = await list('limit=2');
    expect(first.ids).toEqual([ids('m'), ids('a')]);
    expect((await list(`limit=2&cursor=${first.next_cursor}`)).ids).toEqual([ids('z')]);
    expect((await list(`after=${ids('0')}`)).ids).toHaveLength(3);
  });

  it('a command is listed until its node reports over HTTP that it has taken or refused it', async () => {
    const token = await conductor.token();
    const path = `/v1/controllers/${NODE}`;
    const [taken, refused] = [ids('q'), ids('r')];
    await insert(taken);
    await insert(refused);
    const receipts = [
      { command_id: taken, accepted: true },
      { command_id: refused, accepted: false, code: 'no_active_client' },
    ];
    await edge.data('POST', `${path}/receipts`, { token, body: { receipts } });
    expect(
      await rowsOf('SELECT status, code FROM commands WHERE command_id IN (?, ?) ORDER BY 1', taken, refused),
    ).toEqual([
      { status: 'received', code: null },
      { status: 'refused', code: 'no_active_client' },
    ]);
    const list = CommandListResponseSchema.parse(await edge.data('GET', `${path}/commands`, { token }));
    for (const one of list.items) expect([taken, refused]).not.toContain(one.command_id);
    // A request for commands counts as contact.
    await expect
      .poll(async () => Object.values(await nodeHub(env, NODE).presence([NODE]))[0])
      .toMatchObject({ connected: false, contact_age_ms: expect.any(Number) });
  });

  it('a command of an unknown kind is left out, and the greeting or list that holds it stays readable', () => {
    const known = { command_id: ids('a'), kind: 'instruction.cancel', body: { instruction_id: 'i' }, expires_in_ms: 1 };
    const unknown = { ...known, kind: 'moon.landing' };
    expect(CommandListResponseSchema.parse({ items: [unknown, known], next_cursor: null }).items).toEqual([known]);
    const lease = {
      lease_name: 'global',
      metadata: {},
      holder_id: null,
      holder_host: null,
      holder_preferred: false,
      term: 0,
      lease_expires_at: null,
      renewed_at: null,
    };
    const greeting = EdgeFrameSchema.parse({
      type: 'hello_ack',
      mode: 'running',
      mode_version: 0,
      lease: { ...lease, expires_in_ms: 0, preferred_holder_id: null },
      candidate: false,
      commands: [known, unknown],
    });
    expect(greeting).toMatchObject({ commands: [known] });
    expect(CommandListResponseSchema.safeParse({ items: 'none', next_cursor: null }).success).toBe(false);
  });
});

describe('the channel of a node', () => {
  it('the channel carries a notice of a pending approval, and then the decision of the person', async () => {
    const node = await TestNode.connect(NODE);
    await node.hello();
    const { ids: asked } = await bringTo(conductor, [ASKED]);
    expect(await node.next('changed')).toMatchObject({ topic: 'approvals', ids: asked });
    const body = { approval_hash: HASH };
    await edge.data('POST', `/v1/instructions/${asked[0]}/approve`, { body });
    const { command } = await node.next('command');
    expect(command).toMatchObject({ kind: 'approval.decided', body: { decision: 'approved' } });
    expect(await node.next('changed')).toMatchObject({ topic: 'approvals', ids: asked });
    await conductor.act(`/v1/instructions/${asked[0]}/started`);
    await edge.data('POST', `/v1/instructions/${asked[0]}/cancel`, { body: {} });
    expect((await node.next('command')).command.kind).toBe('instruction.cancel');
    node.close();
  });
});
