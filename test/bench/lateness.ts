/**
 * How late a renewal leaves when nothing else is due: from its message's settle time to the frame in the browser, over
 * the whole local stack (alarm, tick, D1, channel, agent, socket). Nothing polls; the cron would be a minute away.
 */
import { RenewalScene, SETTLE_MS } from '../support/renewal-scene.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import { figure } from './harness/report.ts';
import { percentile } from './harness/stats.ts';

/** In turn, so that the distance between two deliveries of one browser and platform is not taken for lateness. */
const PLATFORMS = ['claude', 'chatgpt', 'gemini'] as const;
const GOAL_MS = 1_000;

async function lateOf(scene: RenewalScene, conversation: string): Promise<number> {
  await scene.conversation(conversation);
  const message = await scene.say(conversation, `Half of ${conversation} is done.`);
  await scene.job(message, ({ status }) => status === 'done');
  const { received_at } = await scene.messageOf(message);
  const asked = scene.asked.find(({ frame }) => frame.conversation_id === conversation);
  if (asked === undefined) throw new Error(`${conversation} is done without a delivery`);
  return asked.at - received_at - SETTLE_MS;
}

export const lateness: Benchmark = {
  name: 'lateness',
  what: 'how late a lone renewal leaves, over the whole local stack',
  run: ({ quick }) =>
    withCleanup(async (cleanup) => {
      const scene = cleanup.add(await RenewalScene.start(), (one) => one.stop());
      const lateMs: number[] = [];
      for (let n = 0; n < (quick ? 3 : 60); n += 1) {
        lateMs.push(await lateOf(scene, `${PLATFORMS[n % PLATFORMS.length]}-lateness-${n}`));
      }
      const shares = [0.5, 0.9, 0.99, 1];
      return {
        sections: [
          {
            title: `${lateMs.length} renewals, one after the other`,
            head: ['', 'p50', 'p90', 'p99', 'most'],
            rows: [['late, ms', ...shares.map((share) => figure(percentile(lateMs, share)))]],
            goals: [{ text: 'p99, ms', reached: percentile(lateMs, 0.99), is: 'at most', wanted: GOAL_MS }],
            notes: [],
          },
        ],
        absent: [],
      };
    }),
};
