/**
 * `undo`: puts back what an instruction has replaced. It works on this host's own files, with the roots of its policy,
 * whether an agent runs or not.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { UNDO_FOLDER } from '../agent.ts';
import { connectionArgs } from '../config/flags.ts';
import type { Config } from '../config/settings.ts';
import type { Roots } from '../host/roots.ts';
import { FileError, openRoots } from '../host/roots.ts';
import { UndoStore } from '../host/undo.ts';
import { ownPaths, policyPathOf } from '../policy/own-paths.ts';
import { PolicyFile } from '../policy/policy-file.ts';
import { present } from './output.ts';
import type { Verb } from './verb.ts';
import { configOf, EXIT, jsonArg, UsageError } from './verb.ts';

/** The same folders that tools of this host may touch now. */
function rootsOf(config: Config): Roots {
  const path = policyPathOf(config);
  const file = new PolicyFile({ path, onProblem: () => undefined });
  const problem = file.problem();
  if (problem !== null) throw new UsageError(`${path} is broken, so its roots are not known: ${problem}`);
  const roots = file.current()?.roots ?? [join(config.root, 'workspace')];
  return openRoots(roots, ownPaths(config));
}

export const undo: Verb = {
  name: 'undo',
  about: 'put back what files/write or files/patch has replaced',
  args: {
    ...connectionArgs,
    ...jsonArg,
    instruction: { type: 'positional', description: 'its id (ins_…)', required: true },
    force: { type: 'boolean', description: 'even when a file has changed since' },
  },
  run: async (args, deps) => {
    const { config } = configOf(args, deps, connectionArgs);
    const id = String(args.instruction);
    const store = new UndoStore(join(config.stateDir, UNDO_FOLDER));
    try {
      const outcome = store.undo(id, rootsOf(config), { force: args.force === true, newTemporaryName: randomUUID });
      present(args, deps, outcome, () => {
        if (outcome.type === 'undone') for (const path of outcome.paths) deps.print(`put back ${path}`);
      });
      if (outcome.type === 'undone') return EXIT.fine;
      deps.warn(
        outcome.type === 'unknown'
          ? `nothing is kept of ${id} on this host: it replaced nothing, was undone, or is too old`
          : `changed since, so nothing was touched (--force does it all the same): ${outcome.paths.join(', ')}`,
      );
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      deps.warn(`${error.code}: ${error.message}`);
    }
    return EXIT.failed;
  },
};
