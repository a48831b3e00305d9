// Starts a part of this program that keeps running: `system` (edge, clock and agent: npm start) or `agent` (under a service).
// It runs the built program, built now when its sources have changed, so that it always runs what the sources say. Plain
// JavaScript, so that a Node that is too old gets words.
import { spawnSync } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { builtFile, isBuilt } from './built.js';
import './require-node.js';

/** The name of each part as built program, and its source. */
const PARTS = { system: ['main', './main.ts'], agent: ['supervise', './supervise.ts'] };
const BUILD = fileURLToPath(new URL('./build.ts', import.meta.url));
const BUILD_TIMEOUT_MS = 120_000;

/** Builds the program. What prevents that is printed; the sources run then, which needs more memory and nothing else. */
function build() {
  console.error('building the program');
  const { status } = spawnSync(process.execPath, [BUILD], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: BUILD_TIMEOUT_MS,
  });
  if (status !== 0) console.error('the program was not built, so its sources run');
}

const [part] = process.argv.splice(2, 1);
if (PARTS[part] === undefined) {
  console.error(`launch.js starts one of: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
if (!isBuilt()) build();
const [name, source] = PARTS[part];
await import(isBuilt() ? pathToFileURL(builtFile(name)).href : source);
