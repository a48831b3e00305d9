/** `npm run demo`: plays the demo with a simulated browser, and with `--firefox` in a real one on fake chat sites. */
import { parseArgs } from 'node:util';

const USAGE = 'usage: npm run demo [-- --firefox]';

/** Null when the arguments ask for something else; then the usage was printed. */
function wantsFirefox(): boolean | null {
  try {
    return parseArgs({ options: { firefox: { type: 'boolean', default: false } } }).values.firefox;
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    process.exitCode = 2;
    return null;
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const inFirefox = wantsFirefox();

if (inFirefox === true) {
  const { playFirefoxDemo } = await import('./firefox.ts');
  await playFirefoxDemo(print);
} else if (inFirefox === false) {
  const { playDemo } = await import('../../local-agent/stack/demo.ts');
  await playDemo(print);
}
