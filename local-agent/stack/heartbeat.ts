/**
 * The parent's side of the heartbeat (send-heartbeats.ts). The parent counts intervals of its own without a heartbeat and reads no clock, so a machine that slept, or a parent that was
 * stopped, does not end a healthy agent.
 */
import type { EventEmitter } from 'node:events';
import { z } from 'zod';
import type { HeartbeatLimits } from './send-heartbeats.ts';
import { HEARTBEAT } from './send-heartbeats.ts';
import type { Supervised, SupervisedEvents } from './supervised.ts';

const HeartbeatSchema = z.object({ type: z.literal('heartbeat') });

const SECOND_MS = 1_000;

/** Ends a child that has stopped sending heartbeats; the supervisor then restarts it. Returns how to stop watching. */
export function watchHeartbeat(
  child: Pick<Supervised, 'name' | 'pid' | 'terminate'> & EventEmitter<SupervisedEvents>,
  say: (line: string) => void,
  { intervalMs, missed, graceMs }: HeartbeatLimits = HEARTBEAT,
): () => void {
  let intervals = 0;
  const reset = (): void => {
    intervals = 0;
  };
  child.on('started', reset);
  child.on('message', (message) => {
    if (HeartbeatSchema.safeParse(message).success) reset();
  });
  const timer = setInterval(() => {
    intervals += 1;
    if (intervals < missed || child.pid === null) return;
    reset();
    say(`${child.name} has not responded for ${(missed * intervalMs) / SECOND_MS} s; it is ended and started again`);
    child.terminate(graceMs);
  }, intervalMs);
  return () => clearInterval(timer);
}
