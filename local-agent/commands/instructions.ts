/** `instructions`: the journal of what chats asked for and what came of it. */
import type { Approval } from '../../schema/contracts/instructions.ts';
import { InstructionDetailSchema, InstructionSchema } from '../../schema/contracts/instructions.ts';
import { callName } from '../../schema/contracts/tools.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { CommandDeps } from './deps.ts';
import { edgeArgs, withEdge } from './edge-access.ts';
import { listVerb, showVerb } from './lists.ts';
import { moment, present, printFields, printTable } from './output.ts';
import type { Args, ExitCode, Verb } from './verb.ts';
import { EXIT, optionalText, UsageError } from './verb.ts';

const PATH = '/v1/instructions';

const list = listVerb({
  about: 'instructions, newest first',
  path: PATH,
  item: InstructionSchema,
  filters: {
    status: { query: 'status', about: 'of that status' },
    message: { query: 'message_id', about: 'of that message' },
  },
  head: ['ID', 'INSTRUCTION', 'STATUS', 'CODE', 'EXIT', 'MS', 'CREATED'],
  row: (one) => [
    one.instruction_id,
    callName(one.target, one.tool),
    one.status,
    one.error_code ?? one.gate,
    one.exit_code,
    one.duration_ms,
    moment(one.created_at),
  ],
  none: 'no instruction yet',
});

const show = showVerb(
  {
    about: 'one instruction and its story',
    argument: 'instruction',
    path: (id) => `${PATH}/${id}`,
    schema: InstructionDetailSchema,
  },
  (deps, item) => {
    const { events, approval, ...fields } = InstructionDetailSchema.parse(item);
    printFields(deps, fields);
    deps.print('');
    if (approval) printApproval(deps, approval);
    const rows = events.map((event) => [moment(event.at), event.kind, event.controller_id, event.detail]);
    printTable(deps, ['AT', 'EVENT', 'NODE', 'DETAIL'], rows, 'no event yet');
  },
);

function printApproval(deps: CommandDeps, { display, approval_hash, cwd, env_names, file_hashes }: Approval): void {
  const files = Object.entries(file_hashes).map(([path, hash]) => `${path} ${hash}`);
  printFields(deps, { cwd, env_names, file_hashes: files, approval_hash });
  deps.print('');
  deps.print(display);
  deps.print('');
}

const instructionArg = { instruction: { type: 'positional', description: 'its id (ins_…)', required: true } } as const;

async function askedApproval(edge: EdgeClient, id: string): Promise<Approval> {
  const detail = await edge.call({ method: 'GET', path: `${PATH}/${id}`, schema: InstructionDetailSchema });
  if (detail.status === 'awaiting_approval' && detail.approval) return detail.approval;
  throw new UsageError(`${id} does not wait for approval: it is ${detail.status}`);
}

/** What the person has read is named by its hash, so that nothing else is approved by mistake. */
const approve: Verb = {
  name: 'approve',
  about: 'let an instruction run that waits for a person',
  args: {
    ...edgeArgs,
    ...instructionArg,
    hash: { type: 'string', description: 'approval_hash of what was shown; without it, it is shown and nothing done' },
  },
  run: (args, deps) =>
    withEdge(args, deps, async (edge) => {
      const id = String(args.instruction);
      const approval = await askedApproval(edge, encodeURIComponent(id));
      const hash = optionalText(args, 'hash');
      if (hash === undefined) {
        present(args, deps, approval, () => printApproval(deps, approval));
        deps.warn(`to approve exactly this: conductor instructions approve ${id} --hash ${approval.approval_hash}`);
        return EXIT.usage;
      }
      return decide({ args, deps, edge, verb: 'approve', body: { approval_hash: hash } });
    }),
};

const deny: Verb = {
  name: 'deny',
  about: 'refuse an instruction that waits for a person',
  args: { ...edgeArgs, ...instructionArg, reason: { type: 'string', description: 'why' } },
  run: (args, deps) =>
    withEdge(args, deps, async (edge) => {
      const { approval_hash } = await askedApproval(edge, encodeURIComponent(String(args.instruction)));
      return decide({ args, deps, edge, verb: 'deny', body: { approval_hash, ...reasonOf(args) } });
    }),
};

const cancel: Verb = {
  name: 'cancel',
  about: 'end an instruction, whether it runs or waits',
  args: { ...edgeArgs, ...instructionArg, reason: { type: 'string', description: 'why' } },
  run: (args, deps) =>
    withEdge(args, deps, (edge) => decide({ args, deps, edge, verb: 'cancel', body: reasonOf(args) })),
};

function reasonOf(args: Args): { reason?: string } {
  const reason = optionalText(args, 'reason');
  return reason === undefined ? {} : { reason };
}

interface Decision {
  args: Args;
  deps: CommandDeps;
  edge: EdgeClient;
  verb: 'approve' | 'deny' | 'cancel';
  body: object;
}

async function decide({ args, deps, edge, verb, body }: Decision): Promise<ExitCode> {
  const path = `${PATH}/${encodeURIComponent(String(args.instruction))}/${verb}`;
  const answer = await edge.call({ method: 'POST', path, body, schema: InstructionSchema });
  present(args, deps, answer, () => deps.print(`${answer.instruction_id} is ${answer.status}`));
  return EXIT.fine;
}

export const instructions: readonly Verb[] = [list, show, approve, deny, cancel];
