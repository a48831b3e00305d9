/** `backup` and `restore`: one file with what a local system must not lose, and a new root from it. */
import { join, resolve } from 'node:path';
import { Argument } from 'commander';
import { BackupError, makeBackup } from '../backup/make-backup.ts';
import { restoreBackup } from '../backup/restore-backup.ts';
import { connectionOptions } from '../config/flags.ts';
import { printedCommand, shellWord } from '../lib/printed-command.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, jsonOption, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { EXIT } from './exit-codes.ts';
import { fileStamp, moment, present, progress } from './output.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const NOT_IN_IT = 'logs, run files, worktrees, the Firefox profile, the workspace, and what undo would restore';

const sizeOf = (bytes: number): string =>
  bytes < MIB ? `${Math.ceil(bytes / KIB)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`;

function fileOf(args: Args, deps: CommandDeps, fallback: string): string {
  return resolve(deps.env.INIT_CWD ?? '.', optionalText(args, 'file') ?? fallback);
}

export const backup: CliCommand = {
  name: 'backup',
  about: 'write configuration, policy, tokens and databases of this root into one file, also while the system runs',
  argument: new Argument('[file]', 'a new file (default: conductor-backup-TIME.zip here)'),
  options: [jsonOption, ...connectionOptions],
  examples: ['backup', 'backup ~/backups/conductor.zip'],
  run: async (args, deps) => {
    const { config, system } = configOf(args, deps, connectionOptions);
    const { root, stateDir } = config;
    const target = fileOf(args, deps, `conductor-backup-${fileStamp(deps.clock.now())}.zip`);
    const isRunning = system === 'running';
    const { version } = deps;
    progress(deps, `copying the databases of ${root}`);
    const result = await makeBackup({ root, stateDir, target, isRunning, version, now: deps.clock.now() });
    present(args, deps, { ...result, root, running: isRunning }, () => {
      deps.print(
        `${target} is written: ${result.files} files of ${root}, ${sizeOf(result.bytes)}, readable by you only.`,
      );
      deps.print(`It holds the tokens of this system: keep it as you keep them. Not in it: ${NOT_IN_IT}.`);
      deps.print(`To restore it: ${printedCommand(deps.env, `restore ${shellWord(target)} --root NEW_FOLDER`)}`);
    });
    return EXIT.fine;
  },
};

export const restore: CliCommand = {
  name: 'restore',
  about: 'put a backup into a new root',
  argument: new Argument('<file>', 'a file that backup wrote'),
  options: [jsonOption, ...connectionOptions],
  examples: ['restore ~/backups/conductor.zip --root ~/.baa'],
  run: async (args, deps) => {
    const { root, stateDir } = configOf(args, deps, connectionOptions, { starts: true }).config;
    if (stateDir !== join(root, 'state')) {
      throw new BackupError(
        `a restore puts the state into ${join(root, 'state')}, and BAA_STATE_DIR or --state-dir names ${stateDir}: the restored system would not use it. Restore, and start, without that setting`,
      );
    }
    const result = restoreBackup({ archive: fileOf(args, deps, ''), root });
    present(args, deps, result, () => {
      const start = result.has_edge
        ? `npm start -- --root ${shellWord(root)}`
        : printedCommand(deps.env, 'start', root);
      deps.print(
        `${root} has the backup of ${moment(Date.parse(result.made_at))} (${result.files} files, node ${result.node_id ?? 'unknown'}).`,
      );
      if (result.has_edge) {
        deps.print(
          'Its first start quarantines what was in flight, as it may have ended since: a person can submit or retry it.',
        );
      }
      if (result.former_state_dir !== null) {
        deps.print(
          `Its state is in ${join(root, 'state')}: config.toml named ${result.former_state_dir}, and that line is a comment now.`,
        );
      }
      deps.print('Do not run it beside the system that it was made of: both would be the same node.');
      deps.print(`Start it: ${start}`);
    });
    return EXIT.fine;
  },
};
