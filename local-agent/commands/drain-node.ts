/**
 * `nodes drain`: moves the work of a node to other hosts. With `--wait` it returns when the node runs nothing more, so that
 * its machine can be switched off.
 */
import { Option } from 'commander';
import type { z } from 'zod';
import { NodeViewSchema } from '../../schema/contracts/nodes.ts';
import { NodeDrainResponseSchema } from '../../schema/contracts/tasks.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { pause } from '../lib/clock.ts';
import { reasonOf, reasonOption } from './change.ts';
import type { Args, CliCommand } from './command.ts';
import { namedArgument } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT } from './exit-codes.ts';
import { parseNode } from './node-name.ts';
import { present, progress } from './output.ts';

const LOOK_MS = 1_000;
/** The end of a run takes seconds, its last checkpoint perhaps minutes. A node that is away gives nothing up. */
const WAIT_MAX_MS = 600_000;
const NodeSchema = NodeViewSchema.pick({ live_runs: true, presence: true });

/** What the node still runs when it runs nothing, or when the time is up. */
async function runsLeft(edge: EdgeClient, nodePath: string, deps: CommandDeps): Promise<z.infer<typeof NodeSchema>> {
  const { clock } = deps;
  const until = clock.monotonic() + WAIT_MAX_MS;
  let said = '';
  for (;;) {
    const node = await edge.call({ method: 'GET', path: nodePath, schema: NodeSchema });
    if (node.live_runs.length === 0 || clock.monotonic() >= until) return node;
    const waitsFor = node.live_runs.map(({ run_id }) => run_id).join(', ');
    if (waitsFor !== said) progress(deps, `waiting for the end of ${waitsFor}`);
    said = waitsFor;
    await pause(clock, LOOK_MS);
  }
}

function summaryOf({ controller_id, draining, runs }: z.infer<typeof NodeDrainResponseSchema>): string {
  if (!draining) return `${controller_id} claims steps again`;
  const asked = runs.length === 0 ? 'it has no run' : `it was asked to give up ${runs.join(', ')}`;
  return `${controller_id} leads no more and claims no more steps; ${asked}`;
}

async function drainNode(args: Args, deps: CommandDeps): Promise<ExitCode> {
  const node = parseNode(args.node);
  const nodePath = `/v1/controllers/${encodeURIComponent(node)}`;
  const on = args.off !== true;
  const body = { on, ...reasonOf(args) };
  return withEdge(args, deps, async (edge) => {
    const schema = NodeDrainResponseSchema;
    const drained = await edge.call({ method: 'POST', path: `${nodePath}/drain`, body, schema });
    if (!on || args.wait !== true) {
      present(args, deps, drained, () => deps.print(summaryOf(drained)));
      return EXIT.fine;
    }
    if (args.json !== true) deps.print(summaryOf(drained));
    const { live_runs, presence } = await runsLeft(edge, nodePath, deps);
    const left = live_runs.map(({ run_id }) => run_id);
    const isDone = left.length === 0;
    present(args, deps, { ...drained, left }, () => {
      if (isDone) deps.print(`${node} runs nothing more`);
    });
    if (isDone) return EXIT.fine;
    const why = presence.connected ? 'it has not given them up' : 'it is not connected, so it cannot give them up';
    deps.warn(`${node} still has ${left.join(', ')} after ten minutes: ${why}. Their deadlines end them in any case.`);
    return EXIT.failed;
  });
}

export const drain: CliCommand = {
  name: 'drain',
  about: 'move the work of a node to other hosts, and let it lead and claim no more',
  argument: namedArgument('node'),
  examples: ['nodes drain mini --wait --reason "new disk"', 'nodes drain mini --off'],
  options: [
    ...edgeOptions,
    new Option('--off', 'let it lead and claim again'),
    new Option('--wait', 'return when it runs nothing more, after ten minutes at most'),
    reasonOption,
  ],
  run: drainNode,
};
