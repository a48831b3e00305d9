/**
 * Preloaded into an agent that the stack starts. It sends the stack heartbeats. When the stack ends, the agent stops as on
 * SIGTERM, without calls to the edge, which ends as well; an agent that has not stopped in time is killed.
 */
import { AGENT_STOP_MS, sendHeartbeats } from './send-heartbeats.ts';

process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), AGENT_STOP_MS).unref();
});
process.channel?.unref();
sendHeartbeats();
