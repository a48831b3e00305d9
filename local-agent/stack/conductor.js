#!/usr/bin/env node
// The command `conductor`, as `npm link` installs it. Plain JavaScript, so that it starts on any Node; on one that is too
// old it runs the command line with the Node that `npm ci` has brought into node_modules.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { builtFile, isBuilt } from './built.js';
import { runsTypeScript, tooOld } from './node-version.js';

const OWN_NODE = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
const CHECK = new URL('./require-node.js', import.meta.url).href;
/** The built program when it is current, else its source, so that an edited source runs at once. */
const CLI = isBuilt() ? builtFile('cli') : fileURLToPath(new URL('../cli.ts', import.meta.url));

function runWithOwnNode() {
  const child = spawn(OWN_NODE, ['--import', CHECK, CLI, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends its signals to both processes; the child ends by them, and this one with it.
  const pass = { SIGINT: () => {}, SIGTERM: () => child.kill('SIGTERM'), SIGHUP: () => child.kill('SIGHUP') };
  for (const [signal, handler] of Object.entries(pass)) process.on(signal, handler);
  child.on('error', (error) => {
    process.stderr.write(`conductor: ${OWN_NODE} cannot run: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of Object.keys(pass)) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

if (runsTypeScript(process.versions.node)) await import(pathToFileURL(CLI).href);
else if (existsSync(OWN_NODE)) runWithOwnNode();
else {
  process.stderr.write(`${tooOld(process.versions.node)}\n`);
  process.exit(1);
}
