/**
 * `conductor::output/read`: a part of the stored output of an instruction of the same conversation and
 * the same node: a node that claims the conversation of another one does not get its outputs. A short output is stored
 * with its instruction, a longer one as an artifact.
 */
import type { SQL } from 'drizzle-orm';
import { and, eq } from 'drizzle-orm';
import { DELIVERY } from '../../../schema/defaults.ts';
import { isFinalStatus } from '../../../schema/domain/instruction-machine.ts';
import { artifacts, instructions } from '../../../schema/tables/index.ts';
import type { Database } from '../../db/open.ts';
import type { EdgeToolHandler, EdgeToolOutcome } from './tool.ts';

function refused(error_code: string, output: string): EdgeToolOutcome {
  return { error_code, output };
}

/** The part of a text, with a first line that says what part it is and how to read on. */
export function outputPart(text: string, offset: number, length: number): string {
  const part = text.slice(offset, offset + length);
  const end = offset + part.length;
  const rest = end < text.length ? `; read on with offset ${end}` : '';
  return `characters ${offset} to ${end} of ${text.length}${rest}\n${part.toWellFormed()}`;
}

/** The output of an instruction; `text` null when it is not stored any more. Undefined for none of that id and condition. */
export async function storedOutput(db: Database, instructionId: string, condition?: SQL) {
  const row = await db
    .select({
      controller_id: instructions.controller_id,
      status: instructions.status,
      artifact_id: instructions.artifact_id,
      output_summary: instructions.output_summary,
      content: artifacts.content,
    })
    .from(instructions)
    .leftJoin(artifacts, eq(artifacts.artifact_id, instructions.artifact_id))
    .where(and(eq(instructions.instruction_id, instructionId), condition))
    .get();
  if (row === undefined) return undefined;
  const { artifact_id, output_summary, content, ...rest } = row;
  return { ...rest, text: content ?? (artifact_id === null ? (output_summary ?? '') : null) };
}

export const outputRead: EdgeToolHandler<'conductor::output/read'> = async (
  params,
  { db, conversation, controller_id },
) => {
  const { instruction_id, offset, length = DELIVERY.output_read_chars } = params;
  const row = await storedOutput(
    db,
    instruction_id,
    eq(instructions.local_conversation_id, conversation.local_conversation_id),
  );
  if (row === undefined) {
    const hint = 'name an instruction_id that a reply in this conversation has named';
    return refused('instruction_not_found', `this conversation has no instruction ${instruction_id}; ${hint}`);
  }
  if (row.controller_id !== controller_id) {
    const hint = 'a node reads only outputs of its own instructions; run the call again on this node';
    return refused('not_owner', `${instruction_id} belongs to another node than this conversation has now: ${hint}`);
  }
  if (!isFinalStatus(row.status)) {
    return refused('not_ended', `${instruction_id} is ${row.status}; its output is stored when it has ended`);
  }
  const { text } = row;
  if (text === null) {
    return refused('output_not_found', `the output of ${instruction_id} is not stored any more; run it again`);
  }
  if (offset > text.length) {
    return refused('invalid_params', `offset: the output has ${text.length} characters, so offset is at most that`);
  }
  return { output: outputPart(text, offset, length) };
};
