/** What a person says of an instruction of which it is not known whether it took effect. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Conductor, EXEC } from '../support/conductor.ts';
import { ENTRIES, EVENTS, rowsOf } from '../support/edge.ts';
import { bringTo, messageStatus, statusesOf, storyOf, sweep } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
const resolve = (id: string, outcome: string, note = 'I looked at the file') => ({
  path: `/v1/instructions/${id}/resolve`,
  call: { body: { outcome, note } },
});
const say = (id: string, outcome: string, note?: string) => {
  const { path, call } = resolve(id, outcome, note);
  return edge.data<{ status: string; resolution: object }>('POST', path, call);
};
const refused = (id: string, outcome: string, note?: string) => {
  const { path, call } = resolve(id, outcome, note);
  return edge.error('POST', path, call);
};
const auditsOf = (id: string) => rowsOf('SELECT 1 FROM audit WHERE subject_id = ?', id);

/** A message whose instructions ended as given. */
async function ended(...statuses: string[]) {
  const brought = await bringTo(
    conductor,
    statuses.map(() => EXEC),
  );
  for (const [n, status] of statuses.entries()) await conductor.result(brought.ids[n] ?? '', { status });
  return { ...brought, id: brought.ids[statuses.indexOf('interrupted')] ?? '' };
}

describe('an interrupted instruction that a person resolves', () => {
  beforeEach(() => conductor.lead());

  it.each([
    ['done', 'succeeded'],
    ['not_done', 'failed'],
  ])('as %s becomes %s, with note and person in row, journal, audit and event', async (outcome, status) => {
    const { id, message_id } = await ended('interrupted');
    const said = await say(id, outcome, 'the file has the new text');
    expect(said).toMatchObject({ status, resolution: { outcome, note: 'the file has the new text', at: edge.now } });
    expect(await statusesOf(message_id)).toEqual([status]);
    expect((await storyOf(id)).at(-1)).toBe('resolved');
    const [entry] = await rowsOf<{ detail: string }>(
      `SELECT detail FROM ${ENTRIES} WHERE instruction_id = ? AND kind = 'resolved'`,
      id,
    );
    expect(JSON.parse(entry?.detail ?? '{}')).toMatchObject({ status, outcome, note: 'the file has the new text' });
    expect(await auditsOf(id)).toHaveLength(1);
    const events = await rowsOf(`SELECT 1 FROM ${EVENTS} WHERE type = 'resolved' AND subject_id = ?`, id);
    expect(events).toHaveLength(1);
  });

  it('makes its message executed when nothing else of it had failed, and leaves it failed otherwise', async () => {
    const alone = await ended('succeeded', 'interrupted');
    expect(await messageStatus(alone.message_id)).toBe('failed');
    await say(alone.id, 'done');
    expect(await messageStatus(alone.message_id)).toBe('executed');
    const beside = await ended('failed', 'interrupted');
    await say(beside.id, 'done');
    expect(await messageStatus(beside.message_id)).toBe('failed');
  });

  it('leaves the time of the reply and the breaker of the conversation as they were', async () => {
    const { id, message_id, local_conversation_id } = await ended('interrupted');
    const state = () =>
      rowsOf(
        `SELECT m.reply_due_at, c.execution_failures, c.automation_status FROM messages AS m
         JOIN local_conversations AS c USING (local_conversation_id) WHERE m.message_id = ?`,
        message_id,
      );
    const before = await state();
    expect(before).toMatchObject([{ execution_failures: 1 }]);
    await say(id, 'done');
    expect(await state()).toEqual(before);
    expect(local_conversation_id).toMatch(/^lc_/);
  });

  it('keeps its first word: the same one again changes nothing, another one is a conflict', async () => {
    const { id } = await ended('interrupted');
    const first = await say(id, 'done', 'seen');
    edge.now += 1_000;
    expect(await say(id, 'done', 'seen by another')).toEqual(first);
    expect(await auditsOf(id)).toHaveLength(1);
    const other = await refused(id, 'not_done');
    expect(other).toMatchObject({ status: 409, error: 'conflict', details: { resolution: { outcome: 'done' } } });
    expect((await storyOf(id)).filter((kind) => kind === 'resolved')).toHaveLength(1);
  });

  it('keeps the word of a person when the result of its host comes later', async () => {
    const { id, message_id } = await bringTo(conductor, [EXEC]).then((one) => ({ ...one, id: one.ids[0] ?? '' }));
    await conductor.act(`/v1/instructions/${id}/started`);
    edge.now += 4_000_000;
    await sweep(conductor);
    await say(id, 'not_done');
    expect((await conductor.result(id, { status: 'succeeded' })).status).toBe('failed');
    expect(await statusesOf(message_id)).toEqual(['failed']);
    expect((await storyOf(id)).at(-1)).toBe('late_result');
  });

  it('is resolved once when two people say different things at the same time', async () => {
    const { id } = await ended('interrupted');
    const { path, call } = resolve(id, 'done');
    const rival = () => edge.data('POST', path, { body: { outcome: 'not_done', note: 'the rival' } });
    const reply = await edge.race(() => edge.call('POST', path, call), rival);
    expect(reply.status).toBe(409);
    expect((await storyOf(id)).filter((kind) => kind === 'resolved')).toHaveLength(1);
  });
});

describe('a resolution', () => {
  it('is refused for an instruction that is open, and for one that ended otherwise', async () => {
    const open = await bringTo(conductor, [EXEC]);
    expect((await refused(open.ids[0] ?? '', 'done')).error).toBe('conflict');
    await conductor.result(open.ids[0] ?? '');
    expect((await refused(open.ids[0] ?? '', 'done')).error).toBe('already_finished');
  });

  it('needs a note', async () => {
    const { id } = await ended('interrupted');
    expect(await refused(id, 'done', '  ')).toMatchObject({ status: 400, details: { field: 'note' } });
  });
});
