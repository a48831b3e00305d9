#!/usr/bin/env node
import { runCli } from './commands/main.ts';

const GRACE_MS = 1_000;

// Whoever reads may have seen enough (`conductor status | head`): that is the end, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2));
// A socket that the other side does not close must not keep a finished command alive.
setTimeout(() => process.exit(), GRACE_MS).unref();
