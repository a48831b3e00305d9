/**
 * The heartbeat of an agent that the stack started: a message from its event loop to its parent at a fixed interval. The
 * parent counts intervals of its own without a heartbeat and reads no clock, so a machine that slept, or a parent that was
 * stopped, does not end a healthy agent.
 */
import type { EventEmitter } from 'node:events';
import { z } from 'zod';
import type { Supervised, SupervisedEvents } from './supervised.ts';

const HeartbeatSchema = z.object({ type: z.literal('heartbeat') });

export interface HeartbeatLimits {
  intervalMs: number;
  /** Intervals in a row without a heartbeat after which the agent counts as hung. */
  missed: number;
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
}

/** Longer than the agent's own watchdog waits, which reports the line of code where the agent hangs. */
export const HEARTBEAT: HeartbeatLimits = { intervalMs: 5_000, missed: 9, graceMs: 5_000 };

const SECOND_MS = 1_000;

/** Sends heartbeats to the parent process while it is connected. They keep no process alive. */
export function sendHeartbeats({ intervalMs }: Pick<HeartbeatLimits, 'intervalMs'> = HEARTBEAT): void {
  const send = (): void => {
    if (process.connected) process.send?.({ type: 'heartbeat' }, undefined, undefined, () => undefined);
  };
  send();
  setInterval(send, intervalMs).unref();
}

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
