import { beforeAll, describe, expect, it } from 'vitest';
import type { ThreadItem } from '../../../schema/contracts/thread.ts';
import type { DueNext, WaitingForPerson } from '../../../schema/contracts/waiting.ts';
import { ASKED, bringTo } from '../instructions/support.ts';
import { Renewals } from '../renewal/support.ts';
import { EXEC } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';

const conductor = new Renewals();
const { edge } = conductor;
const MINUTE_MS = 60_000;
beforeAll(() => conductor.lead());

const waiting = () => edge.data<WaitingForPerson>('GET', '/v1/status/waiting');
const next = () => edge.data<DueNext>('GET', '/v1/status/next');
const setConversation = (id: string, set: string) =>
  rowsOf(`UPDATE local_conversations SET ${set} WHERE local_conversation_id = ?`, id);

describe('what waits for a person', () => {
  it('is an approval, an interrupted instruction until a person has said what became of it, and a stopped browser', async () => {
    const asked = await bringTo(conductor, [ASKED]);
    const ended = await bringTo(conductor, [EXEC]);
    await conductor.result(ended.ids[0] ?? '', { status: 'interrupted' });
    await conductor.browser({ client: 'firefox-9' }, { stopped_reason: 'signed_out' });
    const found = await waiting();
    expect(found.approvals.map(({ instruction_id }) => instruction_id)).toEqual(asked.ids);
    expect(found.interrupted.map(({ instruction_id }) => instruction_id)).toEqual(ended.ids);
    expect(found.stopped).toEqual([{ client_id: 'firefox-9', platform: 'chatgpt', stopped_reason: 'signed_out' }]);
    expect(found.is_cut).toBe(false);
    await edge.data('POST', `/v1/instructions/${ended.ids[0]}/resolve`, { body: { outcome: 'done', note: 'seen' } });
    expect((await waiting()).interrupted).toEqual([]);
  });

  it('is a conversation that the breaker has paused, also behind many that people have paused since, which do not wait', async () => {
    const broken = await bringTo(conductor, [EXEC]);
    const { now } = edge;
    const paused = (reason: string, at: number) =>
      `automation_status = 'paused', pause_reason = '${reason}', paused_at = ${at}`;
    await setConversation(broken.local_conversation_id, paused('no_progress', now));
    for (let n = 0; n < 60; n += 1) {
      const at = now + 1 + n;
      await rowsOf(`INSERT INTO local_conversations (local_conversation_id, platform, remote_conversation_id,
        automation_status, last_non_paused_automation_status, pause_reason, paused_at, created_at, updated_at)
        VALUES ('lc_by_person_${n}', 'claude', 'by-person-${n}', 'paused', 'manual', 'user_pause', ${at}, ${at}, ${at})`);
    }
    const found = await waiting();
    expect(found.paused.map((one) => one.local_conversation_id)).toEqual([broken.local_conversation_id]);
    expect(found.paused[0]?.pause_reason).toBe('no_progress');
  });
});

describe('what is due next', () => {
  it('is in the order of its time, though it was made in another; what is not renewed automatically comes last', async () => {
    await rowsOf("UPDATE renewal_jobs SET status = 'canceled' WHERE status = 'pending'");
    await rowsOf('UPDATE local_conversations SET project_at = NULL');
    const begun = edge.now;
    const made: string[] = [];
    for (const minutes of [30, 10, 20, 5]) {
      const { message_id, local_conversation_id } = await conductor.settled();
      await conductor.project();
      await rowsOf(
        'UPDATE renewal_jobs SET next_attempt_at = ? WHERE message_id = ?',
        begun + minutes * MINUTE_MS,
        message_id,
      );
      made.push(local_conversation_id);
    }
    const [late = '', soon = '', middle = '', manual = ''] = made;
    await setConversation(manual, "automation_status = 'manual'");
    const { renewals } = await next();
    expect(renewals.map(({ conversation }) => conversation.local_conversation_id)).toEqual([
      soon,
      middle,
      late,
      manual,
    ]);
    expect(renewals[0]).toMatchObject({ at: begun + 10 * MINUTE_MS, job_id: expect.stringMatching(/^job_/) });
  });

  it('is also a message that waits for its turn to become a job', async () => {
    const { local_conversation_id } = await conductor.settled();
    await setConversation(local_conversation_id, `project_at = ${edge.now + 1}`);
    expect((await next()).renewals[0]).toMatchObject({ at: edge.now + 1, job_id: null });
  });

  it('is the task that a node claims first: by its priority, then the oldest, and none that waits for another', async () => {
    const make = async (title: string, more: object = {}) => {
      const body = {
        task_type: 'shell',
        title,
        goal: 'g',
        steps: [{ kind: 'shell', name: 's', input: { script: 'true' } }],
      };
      return (await edge.data<{ task_id: string }>('POST', '/v1/tasks', { body: { ...body, ...more } })).task_id;
    };
    const first = await make('first');
    await make('behind', { priority: 100, constraints: { after: [first] } });
    for (const title of ['second', 'third', 'fourth', 'fifth']) await make(title);
    await make('urgent', { priority: 90 });
    expect((await next()).tasks.map(({ title }) => title)).toEqual(['urgent', 'first', 'second', 'third', 'fourth']);
  });
});

describe('the thread of a conversation', () => {
  it('has with each message of a page its instructions and its renewal, however many others there are', async () => {
    const remote = 'a-long-thread';
    const brought = [];
    for (let n = 0; n < 5; n += 1) {
      brought.push(await bringTo(conductor, [EXEC, EXEC], remote));
      for (const id of brought.at(-1)?.ids ?? []) await conductor.result(id, { status: 'succeeded' });
    }
    const [first] = brought;
    const path = `/v1/renewal/conversations/${first?.local_conversation_id}/thread`;
    const pages: ThreadItem[][] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { items: ThreadItem[]; next_cursor: string | null } = await edge.data(
        'GET',
        `${path}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      pages.push(page.items);
      cursor = page.next_cursor;
    }
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    const shown = pages.flat().map(({ message, instructions }) => ({
      message_id: message.message_id,
      ids: instructions.map(({ instruction_id }) => instruction_id),
    }));
    expect(shown).toEqual(brought.toReversed().map(({ message_id, ids }) => ({ message_id, ids })));
    const renewed = await conductor.sent();
    const of = `/v1/renewal/conversations/${renewed.local_conversation_id}/thread`;
    const { items } = await edge.data<{ items: ThreadItem[] }>('GET', of);
    expect(items[0]?.job).toMatchObject({ job_id: renewed.job.job_id, attempts: [{ attempt: 1 }] });
  });
});

describe('one browser', () => {
  it('is found by its id, also behind more browsers than a page lists', async () => {
    await conductor.browser({ client: 'a-browser' });
    for (let n = 0; n < 210; n += 1) {
      await rowsOf(`INSERT INTO clients (client_id, controller_id, connected, platforms, first_seen_at, updated_at)
        VALUES ('firefox-z-${n}', '${NODE}', 0, '[]', 1, 1)`);
    }
    const { clients } = await edge.data<{ clients: { client_id: string }[] }>('GET', '/v1/browser?client_id=a-browser');
    expect(clients.map(({ client_id }) => client_id)).toEqual(['a-browser']);
  });
});
