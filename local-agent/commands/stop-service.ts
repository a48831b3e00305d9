/**
 * `service stop` and `service uninstall` first move the work of this node: it gives its runs up with their last checkpoints, so
 * that another node, or this one later, continues them. Restart and upgrade leave runs alone.
 */
import { Option } from 'commander';
import { NodeViewSchema } from '../../schema/contracts/nodes.ts';
import { connectionOptions } from '../config/flags.ts';
import { drainedForStopPath } from '../config/root-files.ts';
import type { ServiceHost } from '../service/manager.ts';
import type { Args } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { drain } from './drain-node.ts';
import { withEdge } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { describeFailure, EXIT, exitCodeOf } from './exit-codes.ts';
import type { InstalledHere } from './installed-service.ts';
import { findInstalled, requireInstalled } from './installed-service.ts';
import { present } from './output.ts';

const DrainedSchema = NodeViewSchema.pick({ draining: true });

export const stopOptions = [
  jsonOption,
  new Option('--now', 'do not move the work of this node: what runs continues until its deadline'),
  ...connectionOptions,
];

interface Moved {
  code: ExitCode;
  /** Ends the drain once the service has stopped; null when a person had drained the node before. */
  undo: (() => Promise<void>) | null;
}

/** Drains the node until it runs nothing more. What it prints is progress. */
async function moveWork(args: Args, deps: CommandDeps, { root, isSystem }: InstalledHere): Promise<Moved> {
  const named = { ...args, root, json: undefined };
  const { nodeId } = configOf(named, deps, connectionOptions).config;
  const progress = { ...deps, print: deps.warn };
  const path = `/v1/controllers/${encodeURIComponent(nodeId)}`;
  const { draining } = await withEdge(named, deps, (edge) => edge.call({ method: 'GET', path, schema: DrainedSchema }));
  const reason = 'its service is stopped';
  const code = await drain.run({ ...named, node: nodeId, wait: true, reason }, progress);
  if (code !== EXIT.fine) return { code: EXIT.failed, undo: null };
  if (draining) return { code: EXIT.fine, undo: null };
  // A local edge stops with the node: its next start ends the drain.
  if (isSystem) {
    deps.writeFile(drainedForStopPath(root), `${nodeId}\n`);
    return { code: EXIT.fine, undo: null };
  }
  const undo = async () =>
    void (await drain.run({ ...named, node: nodeId, off: true }, { ...deps, print: () => undefined }));
  return { code: EXIT.fine, undo };
}

async function movedOrRefused(args: Args, deps: CommandDeps, service: InstalledHere, verb: string): Promise<Moved> {
  const refuse = (code: ExitCode): Moved => {
    deps.warn(`the service was not stopped. "service ${verb} --now" stops it without moving its work`);
    return { code, undo: null };
  };
  try {
    const moved = await moveWork(args, deps, service);
    return moved.code === EXIT.fine ? moved : refuse(moved.code);
  } catch (error) {
    deps.warn(`the work of this node was not moved: ${describeFailure(error)}`);
    return refuse(exitCodeOf(error));
  }
}

type Verb = 'stop' | 'uninstall';
const DONE: Readonly<Record<Verb, string>> = {
  stop: 'is stopped, and stays stopped until "service start"',
  uninstall: 'is stopped and removed; the root keeps its files',
};

export async function endService(verb: Verb, args: Args, deps: CommandDeps, host: ServiceHost): Promise<ExitCode> {
  const service = verb === 'stop' ? requireInstalled(args, deps, host) : findInstalled(args, deps, host);
  if (service === null) {
    present(args, deps, { outcome: 'not_installed', was_running: false, root: null }, () =>
      deps.print('no service is installed, so there is nothing to remove'),
    );
    return EXIT.fine;
  }
  const { manager, root } = service;
  const { running } = await manager.look();
  const moved: Moved =
    running && args.now !== true ? await movedOrRefused(args, deps, service, verb) : { code: EXIT.fine, undo: null };
  if (moved.code !== EXIT.fine) return moved.code;
  if (verb === 'stop') await manager.stop();
  else await manager.remove();
  await moved.undo?.();
  present(args, deps, { outcome: verb === 'stop' ? 'stopped' : 'uninstalled', was_running: running, root }, () =>
    deps.print(`the service of ${root} ${DONE[verb]}`),
  );
  return EXIT.fine;
}
