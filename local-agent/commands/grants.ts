/** `grants`: what a person has approved ahead for one conversation. */

import type { Grant } from '../../schema/contracts/grants.ts';
import { GrantCreateBodySchema, GrantSchema } from '../../schema/contracts/grants.ts';
import { InstructionDetailSchema } from '../../schema/contracts/instructions.ts';
import { callName } from '../../schema/contracts/tools.ts';
import { GRANTS } from '../../schema/defaults.ts';
import { fewestLeading, grantableArgv, grantEnd } from '../../schema/domain/grant.ts';
import { valueOption } from '../config/flags.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT, RefusedError, UsageError } from './exit-codes.ts';
import { listCommand } from './lists.ts';
import { moment, present } from './output.ts';
import { callOnce, operationOf, operationOption } from './repeatable.ts';

const PATH = '/v1/grants';
const HOUR_MS = 3_600_000;
const DEFAULT_USES = 5;
const DEFAULT_HOURS = 1;

function stateOf(grant: Grant, now: number): string {
  return grantEnd(grant, now)?.replace('_', ' ') ?? 'valid';
}

/** What the grant covers, in words. */
function describeGrant(deps: CommandDeps, grant: Grant): void {
  const { argv, further_items, folder, max_uses, expires_at, local_conversation_id, controller_id } = grant;
  const further = further_items === 0 ? 'and nothing after it' : `and at most ${further_items} more items, no options`;
  deps.print(`${grant.grant_id} lets run without asking, for conversation ${local_conversation_id}:`);
  deps.print(`  argv    ${JSON.stringify(argv)} ${further}`);
  deps.print(`  folder  ${folder} on ${controller_id}`);
  deps.print(`  up to   ${max_uses} times, until ${moment(expires_at)}`);
  deps.print('  never   a script, variables or input; a denial of policy.json and a pause still hold');
}

const list = listCommand({
  about: 'list grants, newest first',
  examples: ['grants list --conversation CONVERSATION_ID'],
  path: PATH,
  item: GrantSchema,
  filters: { local_conversation_id: valueOption('--conversation <id>', 'only grants for that conversation') },
  head: ['ID', 'CONVERSATION', 'NODE', 'FOLDER', 'ARGV', 'FURTHER', 'USES', 'STATE', 'EXPIRES'],
  row: (one) => [
    one.grant_id,
    one.local_conversation_id,
    one.controller_id,
    one.folder,
    one.argv,
    one.further_items,
    `${one.uses}/${one.max_uses}`,
    stateOf(one, Date.now()),
    moment(one.expires_at),
  ],
  none: 'no grant yet',
});

function numberOf(args: Args, name: string, otherwise: number): number {
  const text = optionalText(args, name);
  return text === undefined ? otherwise : Number(text);
}

type Detail = ReturnType<typeof InstructionDetailSchema.parse>;

/**
 * The grant for the like of an instruction that asks, or has asked: a repeat of the call makes the same grant, also when it
 * has been decided since. @throws RefusedError when there can be none, UsageError for numbers that do not fit
 */
function bodyOf(args: Args, detail: Detail) {
  const { instruction_id, target, tool, params, local_conversation_id, controller_id } = detail;
  const argv = grantableArgv(callName(target, tool), params);
  if (argv === null) {
    throw new RefusedError(
      `${instruction_id} cannot be granted: a grant covers a program by argv, without env and stdin`,
    );
  }
  const folder = detail.approval?.cwd ?? detail.asked_folder ?? null;
  if (folder === null) {
    throw new RefusedError(
      `${instruction_id} is ${detail.status}, and no person was asked about a folder of it; a grant is for what asks`,
    );
  }
  const leading = numberOf(args, 'leading', argv.length);
  const fewest = fewestLeading(argv);
  if (!(leading >= fewest && leading <= argv.length)) {
    throw new UsageError(`--leading: ${fewest} to ${argv.length}, since further items may not be options`);
  }
  const body = GrantCreateBodySchema.safeParse({
    local_conversation_id,
    controller_id,
    argv: argv.slice(0, leading),
    further_items: numberOf(args, 'further', argv.length - leading),
    folder,
    max_uses: numberOf(args, 'uses', DEFAULT_USES),
    expires_in_ms: numberOf(args, 'hours', DEFAULT_HOURS) * HOUR_MS,
  });
  if (body.success) return body.data;
  throw new UsageError(body.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
}

const createParameters = {
  argument: idArgument('instruction', 'ins_…'),
  options: [
    ...edgeOptions,
    valueOption('--leading <count>', 'how many items of its argv are exact (default: all)'),
    valueOption(
      '--further <count>',
      'how many more items may follow that are no options (default: the rest of its argv)',
    ),
    valueOption('--uses <count>', `how many instructions, at most ${GRANTS.max_uses} (default: ${DEFAULT_USES})`),
    valueOption('--hours <hours>', `for how long, at most ${GRANTS.max_ms / HOUR_MS} (default: ${DEFAULT_HOURS})`),
    operationOption,
  ],
};

const create: CliCommand = {
  name: 'create',
  about: 'let the like of an instruction that asks run without asking, in its conversation and folder',
  examples: ['grants create INSTRUCTION_ID --uses 10 --hours 2'],
  ...createParameters,
  run: (args, deps) =>
    withEdge(args, deps, async (edge) => {
      const id = String(args.instruction);
      const path = `/v1/instructions/${encodeURIComponent(id)}`;
      const detail = await edge.call({ method: 'GET', path, schema: InstructionDetailSchema });
      const body = bodyOf(args, detail);
      const operation = operationOf({ path: 'grants create', ...createParameters }, args, deps);
      const request = { method: 'POST', path: PATH, body, idempotencyKey: operation.id, schema: GrantSchema } as const;
      const grant = await callOnce(deps, operation, () => edge.call(request));
      present(args, deps, grant, () => describeGrant(deps, grant));
      if (detail.status === 'awaiting_approval') {
        deps.warn(`${id} itself still waits: a grant is for those that are asked after it`);
      }
      return EXIT.fine;
    }),
};

const revoke: CliCommand = {
  name: 'revoke',
  about: 'end a grant: what it would have let run asks again',
  examples: ['grants revoke GRANT_ID'],
  argument: idArgument('grant', 'grant_…'),
  options: edgeOptions,
  run: (args, deps) =>
    withEdge(args, deps, async (edge) => {
      const path = `${PATH}/${encodeURIComponent(String(args.grant))}`;
      const grant = await edge.call({ method: 'DELETE', path, schema: GrantSchema });
      present(args, deps, grant, () => deps.print(`${grant.grant_id} is revoked; it was used ${grant.uses} times`));
      return EXIT.fine;
    }),
};

export const grants: readonly CliCommand[] = [create, list, revoke];
