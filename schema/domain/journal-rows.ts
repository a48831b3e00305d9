/**
 * The rows of instructions against their journal: what a row says was called, how it was judged, its status and its
 * result must be what the chain has bound. A row that was changed without the edge shows here, although the chain itself is whole. Pure; SHA-256 is
 * injected.
 */

import { z } from 'zod';
import type {
  Instruction,
  InstructionInput,
  InstructionState,
  MessageDetailSchema,
  PolicyVerdict,
} from '../contracts/instructions.ts';
import { INSTRUCTION_STATES, PolicyDecisionSchema } from '../contracts/instructions.ts';
import type { JournalContent } from '../contracts/journal.ts';
import { dedupeText, identityOf } from './ingest.ts';
import type { Sha256 } from './journal-chain.ts';
import { mcpDedupeText } from './mcp-call.ts';

type MessageDetail = z.infer<typeof MessageDetailSchema>;

/** What the journal says of one instruction. */
export interface Recorded {
  message_id: string;
  /** It came through MCP: there is a call in place of a message. */
  via_mcp: boolean;
  /** The hash of the call, from the entry of its observation. */
  dedupe_key: string | null;
  /** The newest status that an entry names; null while none has. */
  status: InstructionState | null;
  /** The newest verdict; null while no entry has one. */
  policy: PolicyVerdict | null;
  /** What a node reported at the end; null when the instruction has not ended, or ended without a report. */
  result: RecordedResult | null;
  /** A person had its call and its output removed. */
  forgotten: boolean;
  at: number;
}

interface RecordedResult {
  exit_code: number | null;
  error_code: string | null;
  output_sha256: string;
}

/** Reads the content of an artifact; null when it is not stored. */
export type ReadArtifact = (artifactId: string) => Promise<string | null>;

const VerdictSchema = z.object({ decision: PolicyDecisionSchema, rule: z.string() });
const ResultSchema = z.object({
  exit_code: z.number().nullable(),
  error_code: z.string().nullable(),
  output_sha256: z.string(),
});

/** Entries of these kinds name the status that the instruction has from then on. */
const STATUS_KINDS: readonly string[] = ['claimed', 'gated', 'started', 'ended', 'resolved'];
/** The statuses of an instruction whose journal names none: decided when it was observed. */
const FIRST_STATES: readonly InstructionState[] = ['waiting', 'awaiting_approval', 'denied', 'shadowed'];

const UNRECORDED = { via_mcp: false, dedupe_key: null, status: null, policy: null, result: null, forgotten: false };

/** Adds what a block says to what is known of its instructions. */
export function record(known: Map<string, Recorded>, { message_id, at, entries }: JournalContent): void {
  for (const { instruction_id, kind, detail } of entries) {
    const before = known.get(instruction_id) ?? { message_id, ...UNRECORDED, at };
    const status = STATUS_KINDS.includes(kind) ? stateNamed(detail.status) : null;
    const isNewer = at >= before.at;
    const policy = kind === 'judged' ? (VerdictSchema.safeParse(detail).data ?? null) : null;
    const result = kind === 'ended' ? (ResultSchema.safeParse(detail).data ?? null) : null;
    known.set(instruction_id, {
      message_id,
      via_mcp: before.via_mcp || (kind === 'observed' && detail.via === 'mcp'),
      dedupe_key: kind === 'observed' && typeof detail.dedupe_key === 'string' ? detail.dedupe_key : before.dedupe_key,
      status: status !== null && (isNewer || before.status === null) ? status : before.status,
      policy: policy !== null && (isNewer || before.policy === null) ? policy : before.policy,
      result: result ?? before.result,
      forgotten: before.forgotten || kind === 'forgotten',
      at: Math.max(at, before.at),
    });
  }
}

function stateNamed(value: unknown): InstructionState | null {
  return INSTRUCTION_STATES.find((state) => state === value) ?? null;
}

/** How the rows of a message differ from the journal, one line for each difference; none when they agree. */
export async function rowFaults(
  sha256: Sha256,
  message: MessageDetail,
  known: ReadonlyMap<string, Recorded>,
  readArtifact: ReadArtifact,
): Promise<string[]> {
  const identity = identityOf(message.assistant_message_id, await sha256(message.raw_text));
  const textOf: CallText = (call) => dedupeText({ ...message, identity }, call);
  if (message.forgotten_at == null) {
    return faultsOf(sha256, { rows: message.instructions, textOf }, known, readArtifact);
  }
  return forgottenFaults(message.instructions, known);
}

/** Of a forgotten message the journal still has how its instructions were judged and ended, and that they were forgotten. */
function forgottenFaults(rows: readonly Instruction[], known: ReadonlyMap<string, Recorded>): string[] {
  return rows.flatMap((row) => {
    const recorded = known.get(row.instruction_id);
    if (recorded === undefined) return [`${row.instruction_id} is stored, but the journal does not have it`];
    if (!recorded.forgotten) {
      return [`${row.instruction_id} is stored as forgotten, but the journal does not say that it was`];
    }
    return [
      ...statusFaults(row, recorded),
      ...verdictFaults(row, recorded.policy),
      ...codeFaults(row, recorded.result),
    ];
  });
}

/** The same for the instruction that a call through MCP has made. */
export function callFaults(
  sha256: Sha256,
  { message_id, rows }: { message_id: string; rows: readonly Instruction[] },
  known: ReadonlyMap<string, Recorded>,
  readArtifact: ReadArtifact,
): Promise<string[]> {
  return faultsOf(sha256, { rows, textOf: (call) => mcpDedupeText(message_id, call) }, known, readArtifact);
}

type CallText = (call: Pick<InstructionInput, 'block_index' | 'index' | 'target' | 'tool' | 'params'>) => string;

async function faultsOf(
  sha256: Sha256,
  { rows, textOf }: { rows: readonly Instruction[]; textOf: CallText },
  known: ReadonlyMap<string, Recorded>,
  readArtifact: ReadArtifact,
): Promise<string[]> {
  const faults: string[] = [];
  for (const row of rows) {
    const recorded = known.get(row.instruction_id);
    if (recorded === undefined) {
      faults.push(`${row.instruction_id} is stored, but the journal does not have it`);
      continue;
    }
    const key = await sha256(textOf(row));
    if (recorded.dedupe_key !== null && recorded.dedupe_key !== key) {
      faults.push(`${row.instruction_id}: its call, or the message it is in, is not the one that the journal has`);
    }
    faults.push(
      ...statusFaults(row, recorded),
      ...verdictFaults(row, recorded.policy),
      ...(await resultFaults(sha256, row, recorded.result, readArtifact)),
    );
  }
  return faults;
}

function statusFaults({ instruction_id, status }: Instruction, recorded: Recorded): string[] {
  const agrees = recorded.status === null ? FIRST_STATES.includes(status) : recorded.status === status;
  if (agrees) return [];
  return [`${instruction_id} is stored as ${status}; the journal says ${recorded.status ?? 'that it never ran'}`];
}

function verdictFaults({ instruction_id, policy }: Instruction, recorded: PolicyVerdict | null): string[] {
  if (recorded === null || (policy.decision === recorded.decision && policy.rule === recorded.rule)) return [];
  const was = `${recorded.decision} by ${recorded.rule}`;
  return [`${instruction_id} is stored as judged ${policy.decision} by ${policy.rule}; the journal says ${was}`];
}

async function resultFaults(
  sha256: Sha256,
  row: Instruction,
  recorded: RecordedResult | null,
  readArtifact: ReadArtifact,
): Promise<string[]> {
  if (recorded === null) return [];
  const id = row.instruction_id;
  const codes = codeFaults(row, recorded);
  const output = row.artifact_id === null ? (row.output_summary ?? '') : await readArtifact(row.artifact_id);
  if (output === null) return [...codes, `${id}: its output ${row.artifact_id} is not stored`];
  if ((await sha256(output)) === recorded.output_sha256) return codes;
  return [...codes, `${id}: its stored output is not the one that the journal has`];
}

function codeFaults(row: Instruction, recorded: RecordedResult | null): string[] {
  if (recorded === null) return [];
  return (['exit_code', 'error_code'] as const)
    .filter((name) => row[name] !== recorded[name])
    .map((name) => `${row.instruction_id} is stored with ${name} ${row[name]}; the journal says ${recorded[name]}`);
}
