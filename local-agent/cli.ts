import { runCli } from './commands/main.ts';

const GRACE_MS = 1_000;

// A reader that closes the pipe early, as in `conductor status | head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2));
// A socket that the peer keeps open must not keep a finished command alive.
setTimeout(() => process.exit(), GRACE_MS).unref();
