import { describe, expect, it } from 'vitest';
import type { SearchResponse } from '../../../schema/contracts/search.ts';
import { DESCRIBE, instructionsOf } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { Tasks } from '../tasks/support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;
const find = (q: string) => edge.data<SearchResponse>('GET', `/v1/search?${new URLSearchParams({ q })}`);
const idsFor = async (q: string) => (await find(q)).items.map(({ kind, id }) => `${kind} ${id}`);

describe('the search', () => {
  it('finds each kind of object by its id, and by the beginning of it', async () => {
    const { message_id, local_conversation_id, instructions } = await conductor.bring(
      conductor.message({ remote_conversation_id: 'by-id', instructions: instructionsOf(DESCRIBE) }),
    );
    const { task_id } = await conductor.create({ title: 'By its id' });
    const { run_id } = await conductor.claimed();
    const known = {
      conversation: local_conversation_id,
      message: message_id,
      instruction: instructions[0]?.instruction_id ?? '',
      task: task_id,
      run: run_id,
    };
    for (const [kind, id] of Object.entries(known)) {
      expect(await idsFor(id), kind).toEqual([`${kind} ${id}`]);
      expect(await idsFor(id.slice(0, -2).toUpperCase()), kind).toContain(`${kind} ${id}`);
    }
    expect(await idsFor(NODE.slice(0, 4))).toContain(`node ${NODE}`);
    expect(await idsFor('firefox-')).toContain('browser firefox-1');
  });

  it('finds a conversation by its address at its site', async () => {
    const remote_conversation_id = '6f1c2f0e-1111-4222-8333-944455556666';
    const { local_conversation_id } = await conductor.bring(conductor.message({ remote_conversation_id }));
    const wanted = [`conversation ${local_conversation_id}`];
    expect(await idsFor(`https://chatgpt.com/c/${remote_conversation_id}?model=auto#end`)).toEqual(wanted);
    expect(await idsFor(remote_conversation_id.slice(0, 9))).toEqual(wanted);
  });

  it('finds conversations and tasks by a piece of their title, in any case, newest first', async () => {
    const { local_conversation_id } = await conductor.bring(conductor.message({ remote_conversation_id: 'titled' }));
    const rename = 'UPDATE local_conversations SET title = ? WHERE local_conversation_id = ?';
    await rowsOf(rename, 'Notes on 解析器 Parsers', local_conversation_id);
    const first = await conductor.create({ title: 'Refactor the parser' });
    edge.now += 1;
    const second = await conductor.create({ title: 'Test the PARSER 100%_sure' });
    expect(await idsFor('parser')).toEqual([
      `conversation ${local_conversation_id}`,
      `task ${second.task_id}`,
      `task ${first.task_id}`,
    ]);
    expect(await idsFor('解析')).toEqual([`conversation ${local_conversation_id}`]);
    expect(await idsFor('0%_s')).toEqual([`task ${second.task_id}`]);
    expect(await idsFor('%')).toEqual([]);
    expect((await find('no such title')).items).toEqual([]);
  });

  it('lists a few of many, and says that there are more', async () => {
    for (let n = 0; n < 12; n += 1) await conductor.create({ title: `many ${n}`, steps: undefined });
    const { items, has_more } = await find('many');
    expect([items.length, has_more]).toEqual([10, true]);
    expect((await find('many 11')).has_more).toBe(false);
  });

  it('is refused to a node, and to a text that is too long', async () => {
    const { token } = await edge.mint('readonly');
    expect((await edge.call('GET', '/v1/search?q=many', { token })).status).toBe(200);
    expect((await edge.call('GET', '/v1/search?q=many', { token: await conductor.token() })).status).toBe(403);
    const long = await edge.error('GET', `/v1/search?q=${'x'.repeat(301)}`);
    expect(long).toMatchObject({ error: 'invalid_request', details: { field: 'q' } });
  });
});
