/**
 * What a program prints while it runs, appended to its story in order. A chunk that was told before, or that leaves a
 * gap, is not appended; the answer says how far the edge has come. Bounded: the whole comes with the result.
 */
import { eq, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { InstructionOutputBody, InstructionOutputResponseSchema } from '../../schema/contracts/instructions.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import { AppError } from '../../schema/errors.ts';
import { instructions } from '../../schema/tables/index.ts';
import { requireOwn } from '../auth/ownership.ts';
import { guardThat } from '../db/guards.ts';
import type { Database } from '../db/open.ts';
import type { WritePlan } from '../db/plan.ts';

/** Throws `instruction_not_found` and `not_owner`. */
export async function appendOutput(
  db: Database,
  instructionId: string,
  body: InstructionOutputBody,
  now: number,
): Promise<WritePlan<z.input<typeof InstructionOutputResponseSchema>>> {
  const row = await db.select().from(instructions).where(eq(instructions.instruction_id, instructionId)).get();
  if (row === undefined) throw new AppError('instruction_not_found', `there is no instruction ${instructionId}`);
  requireOwn(body.controller_id, row);
  const { instruction_id, message_id, output_chars: received, controller_id: chain, status } = row;
  const { offset, controller_id } = body;
  const chunk = body.chunk.slice(0, Math.max(0, INSTRUCTION.max_live_chars - received));
  if (offset !== received || chunk === '' || !isExecutingStatus(status)) {
    return { audited: false, response: { instruction_id, received } };
  }
  const output_chars = received + chunk.length;
  const detail = { offset, chunk };
  return {
    guards: [
      guardThat(
        db,
        sql`EXISTS (SELECT 1 FROM instructions WHERE instruction_id = ${instruction_id}
          AND output_chars = ${received} AND status = ${status})`,
      ),
    ],
    statements: [
      db
        .update(instructions)
        .set({ output_chars, updated_at: now })
        .where(eq(instructions.instruction_id, instruction_id)),
    ],
    events: [
      { topic: 'instructions', type: 'output', subject_id: instruction_id, data: { offset, chars: chunk.length } },
    ],
    journal: [{ chain, message_id, instruction_id, kind: 'output', controller_id, detail }],
    // The journal has who told what; an audit row for each second of a program's output would say no more.
    audited: false,
    response: { instruction_id, received: output_chars },
  };
}
