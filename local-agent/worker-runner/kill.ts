/** Ends whole process groups: a child started in its own session, and all it has started there. */

/** Sends a signal to every process of the group. False when none is left. */
export function signalGroup(groupId: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  try {
    process.kill(-groupId, signal);
    return true;
  } catch (error) {
    // EPERM: macOS says so of a group that holds nothing but zombies.
    if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')) return false;
    throw error;
  }
}

/** SIGTERM now and SIGKILL after `graceMs`. Returns how to call the second one off. */
export function endGroup(groupId: number, graceMs: number): () => void {
  signalGroup(groupId, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(groupId, 'SIGKILL'), graceMs);
  return () => clearTimeout(timer);
}
