/**
 * Preloaded into an agent that the stack starts. It sends the stack heartbeats. When the stack ends, the agent stops as on
 * SIGTERM, without calls to the edge, which ends as well; an agent that has not stopped in time is killed.
 */
import { sendHeartbeats } from './heartbeat.ts';

/** Longer than an agent takes to stop. */
const STOP_MS = 12_000;

process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), STOP_MS).unref();
});
process.channel?.unref();
sendHeartbeats();
