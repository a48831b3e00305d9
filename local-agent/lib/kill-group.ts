/** Signals whole process groups: a child that leads a session of its own, and everything it has started there. */
import { hasErrorCode } from './errno.ts';

/** Sends a signal to every process of the group. False when the group has none. */
export function signalGroup(groupId: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  try {
    process.kill(-groupId, signal);
    return true;
  } catch (error) {
    // macOS reports EPERM for a group that holds nothing but zombies.
    if (hasErrorCode(error, 'ESRCH', 'EPERM')) return false;
    throw error;
  }
}

/** SIGTERM now and SIGKILL after `graceMs`. Returns a function that cancels the SIGKILL. */
export function endGroup(groupId: number, graceMs: number): () => void {
  signalGroup(groupId, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(groupId, 'SIGKILL'), graceMs);
  return () => clearTimeout(timer);
}
