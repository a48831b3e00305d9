import { beforeAll, expect, it } from 'vitest';
import { bringTo } from '../instructions/support.ts';
import { EXEC } from '../support/conductor.ts';
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
