/** `npm run demo`: plays the demo with a simulated browser, and with `--firefox` in a real one on fake chat sites. */
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { firefox: { type: 'boolean', default: false } } });
const print = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.firefox) {
  const { playFirefoxDemo } = await import('./firefox.ts');
  await playFirefoxDemo(print);
} else {
  const { playDemo } = await import('../../local-agent/stack/demo.ts');
  await playDemo(print);
}
