/** One instruction in a list of others: status, call, and why it ended so. */

import type { z } from 'zod';
import type { InstructionSchema } from '../../../schema/contracts/instructions.ts';
import { callName } from '../../../schema/contracts/tools.ts';
import { briefParams } from '../../../schema/domain/brief-params.ts';
import { word } from '../texts/texts.ts';
import { Status } from './parts.tsx';
import { INSTRUCTION_TONES } from './tones.ts';

type Instruction = z.infer<typeof InstructionSchema>;

/** Why an instruction ended as it did, or was refused by a gate; empty without a reason. */
export function reasonOf({ error_code, gate }: Pick<Instruction, 'error_code' | 'gate'>): string {
  const reason = error_code ?? gate;
  return reason === null ? '' : word('reason', reason);
}

type Line = Pick<Instruction, 'instruction_id' | 'target' | 'tool' | 'status' | 'error_code' | 'gate' | 'params'>;

export function InstructionLine({ of }: { of: Line }) {
  return (
    <>
      <Status kind="instruction" value={of.status} tone={INSTRUCTION_TONES[of.status]} />
      <a href={`/instructions/${of.instruction_id}`}>{callName(of.target, of.tool)}</a>
      <code class="faint brief">{briefParams(of.params)}</code>
      <span class="note">{reasonOf(of)}</span>
    </>
  );
}
