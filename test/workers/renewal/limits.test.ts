import { beforeAll, describe, expect, it } from 'vitest';
import { RENEWAL_SETTINGS } from '../../../schema/defaults.ts';
import { localTime, nextLocal } from '../../../schema/domain/local-time.ts';
import { EXEC, instructionsOf } from '../support/conductor.ts';
import { Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const clock = (at: number) => new Date(at).toISOString().slice(11, 16);

describe('renewal settings', () => {
  it('of a conversation override those of its platform, and these the general ones', async () => {
    const { local_conversation_id } = await renewals.settled('manual');
    await renewals.limits({}, { max_per_day: 50, cooldown_ms: 1 });
    await renewals.limits({ platform: 'chatgpt' }, { cooldown_ms: 2 });
    await renewals.limits({ local_conversation_id }, { max_per_day: null });
    const path = `/v1/renewal/settings?local_conversation_id=${local_conversation_id}`;
    expect(await edge.data('GET', path)).toEqual({
      scope: 'conversation',
      settings: { max_per_day: null },
      effective: { ...RENEWAL_SETTINGS, max_per_day: null, cooldown_ms: 2 },
    });
    expect((await renewals.detail(local_conversation_id)).limits).toMatchObject({ max_per_day: null, cooldown_ms: 2 });
    await renewals.limits({}, {});
    await renewals.limits({ platform: 'chatgpt' }, {});
    expect(await edge.data('GET', '/v1/renewal/settings')).toMatchObject({ effective: RENEWAL_SETTINGS });
  });

  it.each([
    ['template', { settings: { template: 'see {raw_text}' } }],
    ['time_zone', { settings: { time_zone: 'Mars' } }],
    ['quiet_hours', { settings: { quiet_hours: { from: '7', to: '8' } } }],
    ['no_such_setting', { settings: { no_such_setting: 1 } }],
    ['platform', { platform: 'chatgpt', local_conversation_id: `lc_${'0'.repeat(26)}`, settings: {} }],
  ])('with an invalid %s are refused with the name of the field', async (field, body) => {
    const error = await edge.error('PUT', '/v1/renewal/settings', { body });
    expect(error).toMatchObject({ status: 400, error: 'invalid_request' });
    expect(error.message).toContain(field);
  });

  it('of an unknown conversation are refused', async () => {
    const body = { local_conversation_id: `lc_${'0'.repeat(26)}`, settings: {} };
    expect((await edge.error('PUT', '/v1/renewal/settings', { body })).error).toBe('conversation_not_found');
  });

  it("decide the text of a conversation's renewals", async () => {
    const { local_conversation_id, message_id } = await renewals.settled();
    await renewals.limits({ local_conversation_id }, { template: '{title}: go on with {summary}' });
    await renewals.tick();
    const job = await renewals.jobOf(message_id);
    expect(job.payload_text).toMatch(/^A chat: go on with text number \d+$/);
    expect(JSON.parse(job.payload)).toMatchObject({ template: 'custom' });
  });
});

describe('a limit of renewals', () => {
  it('by quiet hours keeps a message from becoming a job until they end, and next_renewal says when', async () => {
    const { local_conversation_id, message_id } = await renewals.settled();
    const until = nextLocal(edge.now + 3_600_000, 'UTC', localTime(edge.now + 3_600_000, 'UTC').minutes) - 86_400_000;
    const quiet_hours = { from: clock(edge.now - 60_000), to: clock(until) };
    await renewals.limits({ local_conversation_id }, { quiet_hours });
    await renewals.tick();
    expect(await renewals.skipReason(message_id)).toBe('limit_reached');
    expect(await renewals.next(local_conversation_id)).toEqual({ due: false, at: until, reason: 'quiet_hours' });
    edge.now = until;
    expect(await renewals.next(local_conversation_id)).toMatchObject({ due: true, reason: 'due' });
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).status).toBe('running');
  });

  it('that is set after the job was created holds the job without using an attempt, and lifting it makes the job due', async () => {
    const { local_conversation_id, message_id } = await renewals.settled();
    await renewals.project();
    await renewals.limits({ platform: 'chatgpt' }, { end_at: edge.now });
    await renewals.tick();
    const held = { status: 'pending', attempt_count: 0, last_error: 'end_date', next_attempt_at: edge.now + 3_600_000 };
    expect(await renewals.jobOf(message_id)).toMatchObject(held);
    expect(await renewals.next(local_conversation_id)).toEqual({ due: false, at: null, reason: 'end_date' });
    await renewals.limits({ platform: 'chatgpt' }, {});
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).status).toBe('running');
  });

  it('in a row holds until a person writes or sets auto again; the echo of a renewal does not end it', async () => {
    const { local_conversation_id, message_id, remote_conversation_id } = await renewals.settled();
    await renewals.limits({ local_conversation_id }, { max_in_a_row: 1 });
    await renewals.tick();
    const { payload_text } = await renewals.jobOf(message_id);
    await renewals.deliver(message_id);
    const echo = { role: 'user', raw_text: `${payload_text} ` } as const;
    await renewals.bring(renewals.message({ remote_conversation_id, ...echo }));
    const second = await renewals.answered(remote_conversation_id);
    await renewals.tick();
    expect(await renewals.skipReason(second.message_id)).toBe('limit_reached');
    expect(await renewals.next(local_conversation_id)).toEqual({ due: false, at: null, reason: 'max_in_a_row' });
    await renewals.automation(local_conversation_id, 'auto');
    await renewals.tick();
    await renewals.deliver(second.message_id);
    await renewals.bring(renewals.message({ remote_conversation_id, role: 'user', raw_text: 'try it another way' }));
    await renewals.renewed(remote_conversation_id);
    expect((await renewals.detail(local_conversation_id)).counters).toMatchObject({ renewals_in_row: 1 });
  });

  it('per day ends with the day, and a cooldown with its time', async () => {
    const { local_conversation_id, remote_conversation_id } = await renewals.settled('auto');
    await renewals.limits({ local_conversation_id }, { max_per_day: 1, cooldown_ms: 60_000, time_zone: 'Asia/Tokyo' });
    edge.now = nextLocal(edge.now, 'Asia/Tokyo', 12 * 60);
    await renewals.lead();
    await renewals.renewed(remote_conversation_id);
    const second = await renewals.answered(remote_conversation_id);
    await renewals.tick();
    expect(await renewals.skipReason(second.message_id)).toBe('cooldown');
    edge.now += 60_000;
    await renewals.tick();
    const midnight = nextLocal(edge.now, 'Asia/Tokyo', 0);
    expect(await renewals.skipReason(second.message_id)).toBe('limit_reached');
    expect(await renewals.next(local_conversation_id)).toEqual({ due: false, at: midnight, reason: 'daily_budget' });
    edge.now = midnight;
    await renewals.lead();
    await renewals.tick();
    expect((await renewals.jobOf(second.message_id)).status).toBe('running');
  });
});

describe('a conversation without progress', () => {
  it('is paused after the set number of renewals without a successful instruction', async () => {
    const { local_conversation_id, remote_conversation_id } = await renewals.settled();
    await renewals.limits({ local_conversation_id }, { max_without_effect: 2 });
    await renewals.renewed(remote_conversation_id);
    const ran = await renewals.answered(remote_conversation_id, { instructions: instructionsOf(EXEC) });
    await renewals.result(ran.instructions[0]?.instruction_id ?? '');
    await renewals.act(`/v1/messages/${ran.message_id}/reply`, { outcome: 'given_up', reason: null, attempt: 1 });
    await renewals.renewed(remote_conversation_id);
    await renewals.renewed(remote_conversation_id);
    const last = await renewals.answered(remote_conversation_id);
    await renewals.tick();
    expect(await renewals.detail(local_conversation_id)).toMatchObject({
      automation_status: 'paused',
      pause_reason: 'no_progress',
      next_renewal: { due: false, at: null, reason: 'no_progress' },
    });
    expect(await renewals.jobOf(last.message_id)).toMatchObject({ status: 'pending', attempt_count: 0 });
    await renewals.automation(local_conversation_id, 'resume');
    await renewals.tick();
    expect((await renewals.jobOf(last.message_id)).status).toBe('running');
  });

  it('is paused after the set number of renewals of the same text', async () => {
    const { local_conversation_id, remote_conversation_id } = await renewals.settled();
    const same = { raw_text: 'I have nothing to add.' };
    for (let n = 0; n < 3; n += 1) await renewals.renewed(remote_conversation_id, same);
    await renewals.answered(remote_conversation_id, same);
    await renewals.tick();
    expect(await renewals.detail(local_conversation_id)).toMatchObject({ pause_reason: 'repeated_renewal' });
  });
});

describe('next_renewal', () => {
  it('names the reason at every step of a conversation', async () => {
    const seen: string[] = [];
    const { local_conversation_id: id, remote_conversation_id, message_id } = await renewals.settled('manual');
    const look = async () => void seen.push((await renewals.next(id)).reason);
    await look();
    await renewals.automation(id, 'auto');
    await look();
    await renewals.tick();
    await look();
    await renewals.deliver(message_id);
    await look();
    await renewals.bring(renewals.message({ remote_conversation_id }));
    await look();
    await renewals.mode('pause');
    await look();
    await renewals.mode('drain');
    await look();
    await renewals.mode('resume');
    await renewals.automation(id, 'paused');
    await look();
    expect(seen).toEqual([
      'automation_manual',
      'due',
      'being_delivered',
      'waiting_for_answer',
      'settling',
      'system_paused',
      'system_draining',
      'user_pause',
    ]);
  });
});
