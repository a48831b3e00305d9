import { beforeAll, expect, it } from 'vitest';
import { NoticeHoursSchema } from '../../../schema/contracts/notices.ts';
import { bringTo } from '../instructions/support.ts';
import { EXEC } from '../support/conductor.ts';
import { NODE } from '../support/edge.ts';
import { Notified } from './support.ts';

const conductor = new Notified();
const { edge } = conductor;
beforeAll(() => conductor.lead());

it('an interrupted instruction is noticed once, and its notice ends when a person has said what became of it', async () => {
  await conductor.sendTo('accepts', { quiet_hours: null, time_zone: 'UTC', format: 'plain' });
  const { ids } = await bringTo(conductor, [EXEC]);
  const [id = ''] = ids;
  await conductor.result(id, { status: 'interrupted' });
  await conductor.later(0);
  await conductor.later(2);
  const newest = async () => (await conductor.notices()).sent[0];
  expect(await conductor.received()).toHaveLength(1);
  expect(await newest()).toMatchObject({ cause: 'interrupted', object_id: id, state: 'accepted', ended_at: null });
  await edge.data('POST', `/v1/instructions/${id}/resolve`, { body: { outcome: 'done', note: 'seen' } });
  await conductor.later(2);
  expect(await newest()).toMatchObject({ object_id: id, ended_at: edge.now });
});

it('each node reads the ids of what waits at any node, and a person who asks for the hours gets these alone', async () => {
  const { ids } = await bringTo(conductor, [EXEC]);
  const [id = ''] = ids;
  await conductor.result(id, { status: 'interrupted' });
  const { token } = await edge.mint('controller');
  const ofNode = () => edge.data<{ waiting: unknown[] }>('GET', '/v1/notices/hours', { token });
  const mine = { cause: 'interrupted', object_id: id, part: '' };
  expect((await ofNode()).waiting).toContainEqual(mine);
  expect(NoticeHoursSchema.parse(await edge.data('GET', '/v1/notices/hours')).waiting).toBeUndefined();
  await edge.data('POST', `/v1/instructions/${id}/resolve`, { body: { outcome: 'done', note: 'seen' } });
  expect((await ofNode()).waiting).not.toContainEqual(mine);
  const { term } = await edge.data<{ term: number }>('GET', '/v1/leader');
  const body = { controller_id: NODE, term };
  await edge.data('POST', '/v1/leader/release', { token: await conductor.token(), body });
  expect((await ofNode()).waiting).toContainEqual({ cause: 'no_leader', object_id: 'leader', part: String(term) });
});
