// Starts a part of this program that keeps running: `system` (edge, clock and agent: npm start) or `agent` (under a service).
// It runs the built program, built now when its sources are newer, so that it always runs what the sources say. Plain
// JavaScript, so that a Node that is too old gets words.
import './require-node.js';

const PARTS = { system: './main.ts', agent: './supervise.ts' };

const [part] = process.argv.splice(2, 1);
const file = PARTS[part];
if (file === undefined) {
  console.error(`launch.js starts one of: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
await import(file);
