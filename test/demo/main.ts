/**
 * `npm run demo`: plays the demo with a simulated browser, with `--firefox` in a real one on fake chat sites, and with
 * `--recording FILE` the first minutes in a terminal, as a picture.
 */
import { parseArgs } from 'node:util';

const USAGE = 'usage: npm run demo [-- --firefox | --recording FILE]';

/** Null when the arguments ask for something else; then the usage was printed. */
function wanted(): { firefox: boolean; recording?: string } | null {
  try {
    return parseArgs({ options: { firefox: { type: 'boolean', default: false }, recording: { type: 'string' } } })
      .values;
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    process.exitCode = 2;
    return null;
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const what = wanted();

if (what?.recording !== undefined) {
  const { recordTerminal } = await import('./recording.ts');
  await recordTerminal(what.recording);
} else if (what?.firefox === true) {
  const { playFirefoxDemo } = await import('./firefox.ts');
  await playFirefoxDemo(print);
} else if (what !== null) {
  const { playDemo } = await import('../../local-agent/stack/demo.ts');
  await playDemo(print);
}
