/** `npm start` on a root whose system runs: it ends before it asks for ports, and names the system that has the root. */
import { isRunning, readSystemRecord } from '../config/system-record.ts';
import { printedCommand } from '../lib/printed-command.ts';

/**
 * A record without the start of its process is of an earlier version: a later process may have its id, so it decides
 * nothing here. The locks of edge and agent still refuse a second one.
 *
 * @throws Error when the system of this root runs
 */
export function requireStopped(root: string, env: NodeJS.ProcessEnv): void {
  const record = readSystemRecord(root);
  if (record === null || record.began === null || record.pid === process.pid || !isRunning(record)) return;
  const line = (command: string): string => `"${printedCommand(env, command, root)}"`;
  throw new Error(
    `${root} runs already, as process ${record.pid} with the edge ${record.edge_url}: ${line('open')} opens its page. To start it here, end it first: Ctrl-C in its terminal, or ${line('service stop')} when it is the service. A second system beside it needs another --root, --port and --agent-port`,
  );
}
