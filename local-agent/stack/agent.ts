/**
 * `conductor start` and no other command: what a supervisor runs. The other commands would cost the agent a fifth of its memory
 * for as long as it runs.
 */
import { Command, CommanderError } from 'commander';
import { addCommand } from '../commands/command.ts';
import { defaultDeps } from '../commands/deps.ts';
import { describeFailure, EXIT, exitCodeOf } from '../commands/exit-codes.ts';
import { withSafeOutput } from '../commands/output.ts';
import { start } from '../commands/start.ts';
import { returnMemoryOfStart } from '../host/return-memory.ts';

const GRACE_MS = 1_000;

async function run(argv: readonly string[]): Promise<number> {
  const deps = withSafeOutput(defaultDeps);
  let code: number = EXIT.fine;
  const program = new Command('conductor').exitOverride();
  addCommand(program, start, async (command, args) => {
    code = await command.run(args, deps);
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    deps.warn(`conductor: ${describeFailure(error)}`);
    return exitCodeOf(error);
  }
}

returnMemoryOfStart();
process.exitCode = await run(process.argv.slice(2));
// A socket that the peer keeps open must not keep an agent alive that has stopped.
setTimeout(() => process.exit(), GRACE_MS).unref();
