/** `exit.json`, read by the agent. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { RunExit } from './exit-file.ts';
import { exitPath } from './exit-file.ts';
import { STOP_REQUESTS } from './limits.ts';

const RunExitSchema = z.object({
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  ended_by: z.enum(['timeout', 'deadline', ...STOP_REQUESTS]).nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  started_at: z.number(),
  finished_at: z.number(),
  left_behind: z.array(z.object({ pid: z.number(), command: z.string() })),
}) satisfies z.ZodType<RunExit>;

/** @throws when the file is missing or was changed by another program */
export function readExit(runFolder: string): RunExit {
  return RunExitSchema.parse(JSON.parse(readFileSync(exitPath(runFolder), 'utf8')));
}
