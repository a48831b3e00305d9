/**
 * What a running program prints, appended to its journal in order. Only text that continues what the edge has is
 * appended, so a repeat and a gap are not; the response says how many characters the edge has. The total is bounded:
 * the whole output comes with the result.
 */
import { sql } from 'drizzle-orm';
import type { ProgressOutput } from '../../schema/contracts/progress.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import type { InstructionRow } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';

/** Text to append to the live output of an instruction, as its journal keeps it. */
export interface LiveChunk {
  /** Characters before it. */
  offset: number;
  chunk: string;
}

/** The part of the reported output that is appended; null when it does not continue what the edge has. */
export function nextChunk(
  { output_chars, status }: Pick<InstructionRow, 'output_chars' | 'status'>,
  { offset, text }: ProgressOutput,
): LiveChunk | null {
  const chunk = text.slice(0, Math.max(0, INSTRUCTION.max_live_chars - output_chars));
  if (offset !== output_chars || chunk === '' || !isExecutingStatus(status)) return null;
  return { offset, chunk };
}

/** The live output of an instruction must still end where each of these chunks begins. */
export function guardOffsets(db: Database, chunks: readonly { instruction_id: string; offset: number }[]): Statement[] {
  if (chunks.length === 0) return [];
  return [
    guardThat(
      db,
      sql`(SELECT count(*) FROM json_each(${JSON.stringify(chunks)}) AS o JOIN instructions AS i
        ON i.instruction_id = o.value->>'instruction_id' AND i.output_chars = o.value->>'offset') = ${chunks.length}`,
    ),
  ];
}
