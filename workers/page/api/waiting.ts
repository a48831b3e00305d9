/** The instructions that wait for a person: the navigation counts them, and Now lists them. */
import type { z } from 'zod';
import { pageOf } from '../../../schema/contracts/common.ts';
import { InstructionSchema } from '../../../schema/contracts/instructions.ts';
import { useRead } from '../page-context.ts';
import type { Read } from './store.ts';

const WaitingSchema = pageOf(InstructionSchema);

export function useWaiting(): Read<z.output<typeof WaitingSchema>> {
  return useRead('/v1/instructions?status=awaiting_approval&limit=50', WaitingSchema, ['instructions', 'messages']);
}
