/**
 * The heartbeat of an agent that has a supervisor: a message from its event loop to its parent at a fixed interval. This file is
 * loaded into the agent beside its own program, so it imports nothing.
 */

export interface HeartbeatLimits {
  intervalMs: number;
  /** Intervals in a row without a heartbeat after which the agent counts as hung. */
  missed: number;
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
}

/** Longer than the agent's own watchdog waits, which reports the line of code where the agent hangs. */
export const HEARTBEAT: HeartbeatLimits = { intervalMs: 5_000, missed: 9, graceMs: 5_000 };

/** How long an agent may take to stop. */
export const AGENT_STOP_MS = 12_000;

/** Sends heartbeats to the parent process while it is connected. They keep no process alive. */
export function sendHeartbeats({ intervalMs }: Pick<HeartbeatLimits, 'intervalMs'> = HEARTBEAT): void {
  const send = (): void => {
    if (process.connected) process.send?.({ type: 'heartbeat' }, undefined, undefined, () => undefined);
  };
  send();
  setInterval(send, intervalMs).unref();
}
