/**
 * `undo`: restores the files that an instruction has replaced on this host. It needs no running agent and no edge, and
 * touches only files below the roots of the host's policy.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Option } from 'commander';
import { makeVisibleLine } from '../../schema/domain/visible.ts';
import { UNDO_FOLDER } from '../agent.ts';
import { connectionOptions } from '../config/flags.ts';
import { policyPathOf, workspaceOf } from '../config/root-files.ts';
import type { Config } from '../config/settings.ts';
import type { Roots } from '../host/roots.ts';
import { FileError, openRoots } from '../host/roots.ts';
import { UndoStore } from '../host/undo.ts';
import { ownPaths } from '../policy/own-paths.ts';
import { PolicyFile } from '../policy/policy-file.ts';
import type { CliCommand } from './command.ts';
import { configOf, idArgument, jsonOption } from './command.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { present } from './output.ts';

/** The folders that the tools of this host may touch. @throws UsageError when the policy cannot be read */
export function hostRoots(config: Config): Roots {
  const path = policyPathOf(config);
  const file = new PolicyFile({ path, onProblem: () => undefined });
  const problem = file.problem();
  if (problem !== null) throw new UsageError(`${path} is invalid, so its roots are unknown: ${problem}`);
  const roots = file.current()?.roots ?? [workspaceOf(config.root)];
  return openRoots(roots, ownPaths(config));
}

export const undo: CliCommand = {
  name: 'undo',
  about: 'restore the files that files/write or files/patch replaced',
  examples: ['undo INSTRUCTION_ID', 'undo INSTRUCTION_ID --force'],
  argument: idArgument('instruction', 'ins_…'),
  isLocal: true,
  options: [jsonOption, new Option('--force', 'restore files that have changed since, too'), ...connectionOptions],
  run: async (args, deps) => {
    const { config } = configOf(args, deps, connectionOptions);
    const id = String(args.instruction);
    const store = new UndoStore(join(config.stateDir, UNDO_FOLDER));
    try {
      const outcome = store.undo(id, hostRoots(config), { force: args.force === true, newTemporaryName: randomUUID });
      present(args, deps, outcome, () => {
        if (outcome.type === 'undone')
          for (const path of outcome.paths) deps.print(`restored ${makeVisibleLine(path)}`);
      });
      if (outcome.type === 'undone') return EXIT.fine;
      deps.warn(
        outcome.type === 'unknown'
          ? `this host keeps no files for ${id}: it replaced none, was undone already, or is too old`
          : `nothing was restored, as files have changed since (--force restores them too): ${outcome.paths.map(makeVisibleLine).join(', ')}`,
      );
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      deps.warn(`${error.code}: ${error.message}`);
    }
    return EXIT.failed;
  },
};
