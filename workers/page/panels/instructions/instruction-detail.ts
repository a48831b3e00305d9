import type { z } from 'zod';
import type { InstructionDetailSchema } from '../../../../schema/contracts/instructions.ts';

export type InstructionDetail = z.output<typeof InstructionDetailSchema>;
