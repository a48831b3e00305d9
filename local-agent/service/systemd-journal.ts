/** The end of systemd's journal of the service: what it printed, and what systemd did with it, such as a start that failed. */
import { z } from 'zod';
import type { ServiceHost } from './manager.ts';
import { UNIT } from './systemd-file.ts';

const EntrySchema = z.object({
  /** Microseconds. */
  __REALTIME_TIMESTAMP: z.coerce.number(),
  /** Bytes when it holds control characters, and null when it is too long. */
  MESSAGE: z.union([z.string(), z.array(z.number().int().min(0).max(255)), z.null()]),
});

const US_PER_MS = 1_000;

function lineOf(text: string): string[] {
  try {
    const { __REALTIME_TIMESTAMP: at, MESSAGE: said } = EntrySchema.parse(JSON.parse(text));
    const message = said === null ? '(too long)' : typeof said === 'string' ? said : Buffer.from(said).toString('utf8');
    // A line of a log stays what it is, so that only its known fields are kept.
    if (message.startsWith('{')) return [message];
    return [`${new Date(at / US_PER_MS).toISOString()} ${message}`];
  } catch {
    return [];
  }
}

/** At most `count` lines, oldest first; one line with the reason when there are none. */
export async function lastOfJournal(host: Pick<ServiceHost, 'run'>, count: number): Promise<string[]> {
  const argv = ['journalctl', '--user', `--unit=${UNIT}`, `--lines=${count}`, '--no-pager', '--output=json'];
  const end = await host.run([...argv, '--output-fields=MESSAGE']);
  if (end === null) return ['no journal: journalctl is not installed on this machine'];
  const lines = end.stdout.split('\n').flatMap(lineOf).slice(-count);
  if (lines.length > 0) return lines;
  const [why] = end.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Hint:'));
  if (end.code === null) return ['no journal: journalctl did not end in time'];
  return [`no journal: ${why ?? `it has no line of ${UNIT}`}`];
}
