// Preloaded by every npm script that runs TypeScript directly: a Node that is too old gets words instead of a stack.
import { runsTypeScript, tooOld } from './node-version.js';

if (!runsTypeScript(process.versions.node)) {
  console.error(tooOld(process.versions.node));
  process.exit(1);
}
