/** Renewals on a real stack while its parts are killed: none is lost, none is knowingly sent twice, none stays running. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../local-agent/stack/edge-api.ts';
import { pageOf } from '../../schema/contracts/common.ts';
import { TickSchema } from '../../schema/contracts/ticks.ts';
import { CLIENT_ID, RenewalScene, SETTLE_MS } from '../support/renewal-scene.ts';

let scene: RenewalScene;
beforeAll(async () => {
  scene = await RenewalScene.start();
});
afterAll(() => scene?.stop());
afterEach(() => scene.respondWith(() => ({})));

const isDone = ({ status }: { status: string }): boolean => status === 'done';

function plans(conversation: string): string[] {
  return scene.deliveriesTo(conversation).map(({ plan_id }) => plan_id);
}

describe('an undisturbed renewal', () => {
  it('a renewal is sent by the alarm, within about a second after it is due, and not before', async () => {
    const lateMs: number[] = [];
    // One platform each: the spacing between two deliveries of one browser and platform is no lateness.
    for (const conversation of ['claude-calm', 'chatgpt-calm', 'gemini-calm']) {
      await scene.conversation(conversation);
      const message = await scene.say(conversation, 'an answer');
      await scene.job(message, isDone);
      const { received_at } = await scene.messageOf(message);
      const asked = scene.asked.find(({ frame }) => frame.conversation_id === conversation);
      lateMs.push((asked?.at ?? Number.NaN) - received_at - SETTLE_MS);
      expect(plans(conversation)).toHaveLength(1);
    }
    process.stdout.write(`lateness of single renewals by the alarm, ms: ${lateMs.join(', ')}\n`);
    // The Cron Trigger would fire a minute later. Edge and test share the clock of this machine.
    for (const late of lateMs) expect(late).toBeGreaterThanOrEqual(0);
    expect(Math.min(...lateMs)).toBeLessThan(30_000);
  });

  it('a renewal is sent once however many ticks are started at once', async () => {
    await scene.conversation('ticks');
    const message = await scene.say('ticks', 'an answer');
    await scene.messageOf(message);
    const tick = () => scene.post('/v1/timed-jobs/tick');
    await Promise.all([scene.stack.cron(), tick(), tick(), tick()]);
    await scene.job(message, isDone);
    await Promise.all([tick(), tick()]);
    expect(plans('ticks')).toHaveLength(1);
  });
});

describe('a renewal whose agent is killed', () => {
  it('a renewal that the killed agent had not received is sent by the next agent', async () => {
    await scene.conversation('unheard');
    const message = await scene.say('unheard', 'an answer');
    await scene.outbox('empty');
    await scene.killAgent();
    const job = await scene.job(message, isDone);
    expect(plans('unheard')).toHaveLength(1);
    expect(job.attempt_count).toBe(1);
  });

  it('after a kill the next agent finds the renewals that the site has, and sends the rest', async () => {
    const found = 'sent-and-there';
    const absent = 'sent-not-there';
    const waiting = 'not-sent';
    for (const id of [found, absent, waiting]) await scene.conversation(id);
    scene.respondWith(({ conversation_id }) => (conversation_id === waiting ? {} : 'silence'));
    const first = [await scene.say(found, 'one'), await scene.say(absent, 'two')] as const;
    const inFlight = await scene.delivery(found);
    await scene.delivery(absent);
    scene.taken(inFlight);
    const third = await scene.say(waiting, 'three');
    // Both slots are in use, so the third renewal waits. The agent has received it once its job runs.
    await scene.job(third, ({ status }) => status === 'running');
    await scene.outbox('empty');
    scene.respondWith(() => ({}));
    await scene.killAgent();

    await scene.job(first[0], isDone);
    // A minute has to pass before the site's reading counts.
    await scene.job(first[1], isDone, 200_000);
    await scene.job(third, isDone, 90_000);
    // A renewal that is in the conversation is never sent again; one that certainly is not is sent once more.
    expect(plans(found)).toHaveLength(1);
    expect(plans(absent)).toHaveLength(2);
    expect(new Set(plans(waiting)).size).toBe(plans(waiting).length);
    expect(scene.deliveriesTo(waiting)).toHaveLength(1);
  });

  it('a result that the killed agent had not reported reaches the edge, and nothing is sent again', async () => {
    await scene.conversation('unreported');
    scene.respondWith(() => 'silence');
    const message = await scene.say('unreported', 'an answer');
    const delivery = await scene.delivery('unreported');
    await scene.outbox('empty');
    await scene.killEdge();
    scene.taken(delivery);
    scene.respondLate(delivery);
    await scene.outbox('filled');
    await scene.killAgent();
    scene.respondWith(() => ({}));
    await scene.job(message, isDone);
    expect(plans('unreported')).toHaveLength(1);
  });
});

describe('a renewal whose edge is killed', () => {
  it('a renewal that becomes due while the edge is down is sent when the edge is back', async () => {
    await scene.conversation('edge-early');
    const message = await scene.say('edge-early', 'an answer');
    await scene.outbox('empty');
    await scene.killEdge();
    await scene.edgeIsBack();
    await scene.job(message, isDone, 90_000);
    expect(plans('edge-early')).toHaveLength(1);
  });

  it('a message that the killed edge had not received is stored and renewed when the edge is back', async () => {
    await scene.conversation('edge-away');
    await scene.killEdge();
    const message = await scene.say('edge-away', 'an answer');
    await scene.edgeIsBack();
    await scene.job(message, isDone, 90_000);
    expect(plans('edge-away')).toHaveLength(1);
  });

  it('a result that arrives while the edge is down waits in the outbox and then ends the job', async () => {
    await scene.conversation('edge-midway');
    scene.respondWith(() => 'silence');
    const message = await scene.say('edge-midway', 'an answer');
    const delivery = await scene.delivery('edge-midway');
    await scene.killEdge();
    scene.respondLate(delivery);
    scene.taken(delivery);
    await scene.edgeIsBack();
    await scene.job(message, isDone, 90_000);
    expect(plans('edge-midway')).toHaveLength(1);
  });
});

describe('a result after the agent’s deadline', () => {
  it('a late result changes nothing, as the agent has read the conversation and found the renewal', async () => {
    await scene.conversation('late');
    scene.respondWith(() => 'silence');
    const message = await scene.say('late', 'an answer');
    const delivery = await scene.delivery('late');
    scene.taken(delivery);
    const job = await scene.job(message, isDone, 90_000);
    scene.respondLate(delivery);
    scene.respondWith(() => ({}));
    expect(job.attempt_count).toBe(1);
    expect(plans('late')).toHaveLength(1);
  });
});

describe('a platform that responds with 401', () => {
  const BrowserSchema = z.object({
    policy: z.object({
      targets: z.array(z.looseObject({ platform: z.string(), stopped: z.object({ reason: z.string() }).nullable() })),
    }),
  });

  it('a 401 stops the browser, also for the next agent, until a person resumes it', async () => {
    await scene.conversation('signed-out');
    scene.respondWith(() => ({
      failed: true,
      reason: 'http_401',
      downstream: { method: 'dom', http_status: 401, seen_in_page: false, duration_ms: 1 },
    }));
    const message = await scene.say('signed-out', 'an answer');
    await scene.job(message, ({ status, last_error }) => status === 'pending' && last_error !== null);
    scene.respondWith(() => ({}));
    await scene.killAgent();
    const { policy } = await scene.local('/v1/browser', BrowserSchema);
    const stopped = policy.targets.filter((target) => target.stopped !== null);
    expect(stopped).toMatchObject([{ platform: 'claude', stopped: { reason: 'signed_out' } }]);

    await scene.conversation('after-sign-out');
    const later = await scene.say('after-sign-out', 'an answer');
    await scene.messageOf(later);
    await scene.post('/v1/timed-jobs/tick');
    expect(plans('after-sign-out')).toEqual([]);
    expect(plans('signed-out')).toHaveLength(1);

    await scene.post(`/v1/browser/clients/${CLIENT_ID}/resume`);
    await scene.job(later, isDone, 90_000);
    await scene.job(message, isDone, 90_000);
    expect(plans('after-sign-out')).toHaveLength(1);
    expect(plans('signed-out')).toHaveLength(2);
  });
});

describe('the tick log on the host', () => {
  it('the tick log on the host has the entries of the edge, each once and in order, despite kills', async () => {
    await scene.killAgent();
    const edge = await ticks();
    const isMark = ({ stage }: { stage: string }) => stage === 'started' || stage === 'stopped';
    const lines = await eventually('the whole tick log', 60_000, async () => {
      const found = scene.tickLines();
      return found.filter((line) => !isMark(line)).length >= edge.length ? found : null;
    });
    expect(lines.filter((line) => !isMark(line)).slice(0, edge.length)).toEqual(edge);
    expect(lines[0]?.stage).toBe('started');
    const stages = new Set(lines.map(({ stage }) => stage));
    for (const stage of ['message_projected', 'job_attempt_started', 'job_completed', 'job_retry_scheduled']) {
      expect(stages).toContain(stage);
    }
  });

  async function ticks(after = 0): Promise<unknown[]> {
    const { items } = await scene.api.get(`/v1/timed-jobs/ticks?after=${after}&limit=200`, pageOf(TickSchema));
    const last = items.at(-1);
    const entries = items.flatMap((tick) => tick.entries);
    return last === undefined ? entries : [...entries, ...(await ticks(last.tick_seq))];
  }
});
