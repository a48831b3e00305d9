/** `instructions`: the instructions of the chats and their results; a person approves, denies, cancels or resubmits them here. */
import type { Approval, Instruction } from '../../schema/contracts/instructions.ts';
import {
  INSTRUCTION_STATES,
  InstructionDetailSchema,
  InstructionSchema,
  ResubmitResponseSchema,
} from '../../schema/contracts/instructions.ts';
import { callName } from '../../schema/contracts/tools.ts';
import { groupAlike } from '../../schema/domain/alike.ts';
import { shownFields } from '../../schema/domain/approval.ts';
import { briefParams } from '../../schema/domain/brief-params.ts';
import { isStoppedStatus } from '../../schema/domain/instruction-machine.ts';
import { choiceOption, valueOption } from '../config/flags.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { printedCommand } from '../lib/printed-command.ts';
import { changeCommand, reasonOf, reasonOption } from './change.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT, RefusedError } from './exit-codes.ts';
import { listCommand, showCommand } from './lists.ts';
import { moment, present, printFields, printTable, printText, withMoments } from './output.ts';
import { resolveInstruction } from './resolve-instruction.ts';

const PATH = '/v1/instructions';
const instruction = { argument: 'instruction', idForm: 'ins_…' };

/** Instructions are numbered from 1 where people read them, as in the reply. */
function waitsFor({ waits_for }: Instruction): string | null {
  return waits_for == null ? null : `waits for instruction ${waits_for + 1}`;
}

/** Those that wait for a person and are alike. Each is still looked at and decided on its own. */
function printAlike(deps: CommandDeps, items: readonly Instruction[]): void {
  const waiting = items.filter(({ status }) => status === 'awaiting_approval');
  for (const { local_conversation_id, name, program, items: alike } of groupAlike(waiting)) {
    if (alike.length < 2) continue;
    const what = program === null ? name : `${name} ${JSON.stringify(program)}`;
    deps.print('');
    deps.print(`${alike.length} alike wait for you in ${local_conversation_id}: ${what}`);
    for (const { instruction_id, params } of alike) deps.print(`  ${instruction_id}  ${briefParams(params)}`);
  }
}

const list = listCommand({
  about: 'list instructions, newest first',
  examples: ['instructions list --status awaiting_approval', 'instructions list --watch'],
  path: PATH,
  item: InstructionSchema,
  filters: {
    status: choiceOption('--status <status>', 'only instructions with that status', INSTRUCTION_STATES),
    message_id: valueOption('--message <id>', 'only instructions of that message'),
  },
  head: ['ID', 'INSTRUCTION', 'STATUS', 'CODE', 'EXIT', 'MS', 'CREATED'],
  row: (one) => [
    one.instruction_id,
    `${callName(one.target, one.tool)} ${briefParams(one.params)}`,
    one.status,
    one.error_code ?? one.gate ?? waitsFor(one),
    one.exit_code,
    one.duration_ms,
    moment(one.created_at),
  ],
  none: 'no instruction yet',
  below: printAlike,
  facts: ({ instruction_id, status, error_code, gate }) => [instruction_id, status, error_code, gate],
});

const show = showCommand({
  ...instruction,
  about: 'show one instruction with its events',
  examples: ['instructions show INSTRUCTION_ID'],
  path: (id) => `${PATH}/${id}`,
  schema: InstructionDetailSchema,
  print: (deps, { events, approval, output_summary, ...fields }) => {
    printFields(deps, withMoments(output_summary === null ? { ...fields, output_summary } : fields));
    if (output_summary !== null) printText(deps, 'output_summary', output_summary);
    deps.print('');
    if (approval) printApproval(deps, approval);
    const rows = events.map((event) => [moment(event.at), event.kind, event.controller_id, event.detail]);
    printTable(deps, ['AT', 'EVENT', 'NODE', 'DETAIL'], rows, 'no event yet');
  },
});

function printApproval(deps: CommandDeps, { display, approval_hash, policy_line, ...given }: Approval): void {
  const { cwd, env_names, file_hashes } = shownFields(given);
  const files = Object.entries(file_hashes).map(([path, hash]) => `${path} ${hash}`);
  printFields(deps, { cwd, env_names: env_names.join(', ') || null, approval_hash });
  printText(deps, 'file_hashes', files.join('\n') || '-');
  deps.print('');
  printText(deps, 'display', display);
  if (policy_line !== undefined) {
    printText(
      deps,
      'to always allow exactly this argv, put this first in exec.rules of policy.json there',
      policy_line,
    );
  }
  deps.print('');
}

const NOT_DESCRIBED = 'try again in a moment. When its node is away, it expires, or `instructions cancel` ends it';

/** What the instruction asks a person to approve. @throws RefusedError when it does not wait for an approval */
async function readPendingApproval(args: Args, deps: CommandDeps, edge: EdgeClient): Promise<Approval> {
  const id = String(args.instruction);
  const path = `${PATH}/${encodeURIComponent(id)}`;
  const detail = await edge.call({ method: 'GET', path, schema: InstructionDetailSchema });
  if (detail.status === 'awaiting_approval' && detail.approval) return detail.approval;
  const command = printedCommand(deps.env, `instructions resubmit ${id}`, optionalText(args, 'root'));
  const next = isStoppedStatus(detail.status) ? `. To have its message judged again: ${command}` : '';
  if (detail.status === 'awaiting_approval')
    throw new RefusedError(`${id} is not described by its node yet; ${NOT_DESCRIBED}`);
  const reason = waitsFor(detail);
  const status = reason === null ? detail.status : `${detail.status}, ${reason}`;
  throw new RefusedError(`${id} does not wait for approval: it is ${status}${next}`);
}

async function decide(
  args: Args,
  deps: CommandDeps,
  edge: EdgeClient,
  decision: 'approve' | 'deny',
  body: { approval_hash: string; reason?: string },
): Promise<ExitCode> {
  const path = `${PATH}/${encodeURIComponent(String(args.instruction))}/${decision}`;
  const item = await edge.call({ method: 'POST', path, body, schema: InstructionSchema });
  present(args, deps, item, () => deps.print(`${item.instruction_id} is ${item.status}`));
  return EXIT.fine;
}

/** On a terminal the person decides about what is shown above the question. */
async function confirm(args: Args, deps: CommandDeps, edge: EdgeClient, approval: Approval): Promise<ExitCode> {
  const id = String(args.instruction);
  if (await deps.prompts?.confirm(`Run exactly this, as ${id}?`)) {
    return decide(args, deps, edge, 'approve', { approval_hash: approval.approval_hash });
  }
  const deny = printedCommand(deps.env, `instructions deny ${id}`, optionalText(args, 'root'));
  deps.warn(`${id} still waits. To deny it: ${deny}`);
  return EXIT.failed;
}

/** The hash names what the person has read, so that nothing else is approved by mistake. */
const approve: CliCommand = {
  name: 'approve',
  about: 'run an instruction that waits for approval',
  examples: ['instructions approve INSTRUCTION_ID', 'instructions approve INSTRUCTION_ID --hash APPROVAL_HASH'],
  argument: idArgument('instruction', 'ins_…'),
  options: [
    ...edgeOptions,
    valueOption('--hash <hash>', 'approval_hash of what was shown (default: show what waits, and ask on a terminal)'),
  ],
  run: (args, deps) =>
    withEdge(args, deps, async (edge) => {
      const id = String(args.instruction);
      const approval = await readPendingApproval(args, deps, edge);
      const hash = optionalText(args, 'hash');
      if (hash !== undefined) return decide(args, deps, edge, 'approve', { approval_hash: hash });
      present(args, deps, approval, () => printApproval(deps, approval));
      if (deps.prompts !== null && args.json !== true) return confirm(args, deps, edge, approval);
      const command = `instructions approve ${id} --hash ${approval.approval_hash}`;
      deps.warn(`to approve exactly this: ${printedCommand(deps.env, command, optionalText(args, 'root'))}`);
      return EXIT.usage;
    }),
};

const deny: CliCommand = {
  name: 'deny',
  about: 'deny an instruction that waits for approval',
  examples: ["instructions deny INSTRUCTION_ID --reason 'not in this folder'"],
  argument: idArgument('instruction', 'ins_…'),
  options: [...edgeOptions, reasonOption],
  run: (args, deps) =>
    withEdge(args, deps, async (edge) => {
      const { approval_hash } = await readPendingApproval(args, deps, edge);
      return decide(args, deps, edge, 'deny', { approval_hash, ...reasonOf(args) });
    }),
};

const cancel = changeCommand({
  ...instruction,
  name: 'cancel',
  about: 'cancel an instruction that runs or waits',
  examples: ['instructions cancel INSTRUCTION_ID'],
  path: (id) => `${PATH}/${id}/cancel`,
  takesReason: true,
  schema: InstructionSchema,
  summary: ({ instruction_id: id, status }) =>
    status === 'running' ? `${id} is being canceled: its node ends it` : `${id} is ${status}`,
});

/** The node that has the browser judges the message again; what runs then is seen with `instructions list`. */
const resubmit: CliCommand = {
  name: 'resubmit',
  about: 'have the stopped message of an instruction judged again, and run what may run',
  examples: ['instructions resubmit INSTRUCTION_ID'],
  argument: idArgument('instruction', 'ins_…'),
  options: [...edgeOptions, reasonOption],
  run: (args, deps) =>
    withEdge(args, deps, async (edge) => {
      const id = String(args.instruction);
      const read = {
        method: 'GET',
        path: `${PATH}/${encodeURIComponent(id)}`,
        schema: InstructionDetailSchema,
      } as const;
      const { message_id } = await edge.call(read);
      const path = `/v1/messages/${encodeURIComponent(message_id)}/resubmit`;
      const sent = await edge.call({ method: 'POST', path, body: reasonOf(args), schema: ResubmitResponseSchema });
      present(args, deps, sent, () =>
        deps.print(`${message_id} is sent to ${sent.controller_id}, which judges it again`),
      );
      return EXIT.fine;
    }),
};

export const instructions: readonly CliCommand[] = [list, show, approve, deny, cancel, resubmit, resolveInstruction];
