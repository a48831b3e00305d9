import { beforeAll, describe, expect, it } from 'vitest';
import { ATTEMPTS_KEPT } from '../../../schema/contracts/renewal.ts';
import { rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const attemptsOf = async (messageId: string) => (await renewals.jobOf(messageId)).attempts;
/** The next attempt is sent as soon as it is due. */
async function sendAgain(messageId: string) {
  edge.now = (await renewals.jobOf(messageId)).next_attempt_at ?? edge.now;
  await renewals.tick();
  return renewals.commandOf(await renewals.jobOf(messageId));
}

describe('the attempts of a renewal job', () => {
  it('are each kept with its time, browser, outcome and error, in the row of the job', async () => {
    const { job, command, message_id } = await renewals.sent();
    const first = { attempt: 1, started_at: edge.now, client_id: 'firefox-1' };
    expect(job.attempts).toEqual([{ ...first, ended_at: null, outcome: null, error: null }]);
    edge.now += 3_000;
    await renewals.respond(command, 'deferred', { reason: 'person_is_typing' });
    const putOff = { ...first, ended_at: edge.now, outcome: 'deferred', error: 'person_is_typing' };
    expect(await attemptsOf(message_id)).toEqual([putOff]);
    const second = await sendAgain(message_id);
    const failed = { ...first, started_at: edge.now, ended_at: edge.now + 2_000, outcome: 'failed', error: 'no_tab' };
    edge.now += 2_000;
    await renewals.respond(second, 'failed', { reason: 'no_tab', method: 'dom' });
    expect(await attemptsOf(message_id)).toEqual([putOff, failed]);
    const third = await sendAgain(message_id);
    await renewals.respond(third, 'delivered', { method: 'dom' });
    const delivered = { ...first, attempt: 2, started_at: edge.now, ended_at: edge.now };
    expect(await attemptsOf(message_id)).toEqual([putOff, failed, { ...delivered, outcome: 'delivered', error: null }]);
  });

  it('that finds no browser begins and ends at once', async () => {
    const { message_id, local_conversation_id } = await renewals.settled();
    await renewals.project();
    await rowsOf('DELETE FROM conversation_links WHERE local_conversation_id = ?', local_conversation_id);
    await renewals.tick();
    const at = { attempt: 1, started_at: edge.now, ended_at: edge.now, client_id: null };
    expect(await attemptsOf(message_id)).toEqual([{ ...at, outcome: 'failed', error: 'missing_active_link' }]);
  });

  it('are the newest ones, however often it was put off', async () => {
    const { job, message_id } = await renewals.sent();
    for (let n = 0; n <= ATTEMPTS_KEPT; n += 1) {
      await renewals.respond(await renewals.commandOf(await renewals.jobOf(message_id)), 'deferred', {
        reason: `reason_${n}`,
      });
      await sendAgain(message_id);
    }
    const kept = await attemptsOf(job.message_id);
    expect(kept).toHaveLength(ATTEMPTS_KEPT);
    expect(kept.at(0)?.error).toBe('reason_2');
    expect(kept.at(-1)).toMatchObject({ ended_at: null, client_id: 'firefox-1' });
  });

  it('that cannot be read any more hold back no renewal', async () => {
    const { job, command, message_id } = await renewals.sent();
    await rowsOf("UPDATE renewal_jobs SET attempts = '[broken' WHERE job_id = ?", job.job_id);
    await renewals.respond(command, 'failed', { reason: 'no_tab' });
    await sendAgain(message_id);
    expect((await renewals.jobOf(message_id)).status).toBe('running');
    expect(await attemptsOf(message_id)).toMatchObject([{ attempt: 2, ended_at: null }]);
  });
});
