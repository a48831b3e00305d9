/** What `doctor` prints with `--json`. */
import { z } from 'zod';
import { GROUPS, SEVERITIES } from './check.ts';
import { FINDING_CODES } from './finding-codes.ts';

export const FindingReportSchema = z.object({
  code: z.enum(FINDING_CODES),
  severity: z.enum(SEVERITIES),
  what: z.string(),
  why: z.string(),
  advice: z.string(),
  /** The line that mends it; null when there is no such line. */
  command: z.string().nullable(),
  /** Whether `doctor --fix` mends it. */
  fixable: z.boolean(),
});
export type FindingReport = z.infer<typeof FindingReportSchema>;

export const CheckReportSchema = z.object({
  id: z.string(),
  group: z.enum(GROUPS),
  title: z.string(),
  /** `skipped`: the check could not be made. */
  state: z.enum(['ok', 'found', 'skipped']),
  /** What was seen, or why the check could not be made; null beside findings. */
  note: z.string().nullable(),
  findings: z.array(FindingReportSchema),
  /** What `--fix` has mended, as `what` had said it. */
  fixed: z.array(z.string()),
});
export type CheckReport = z.infer<typeof CheckReportSchema>;

export const DoctorReportSchema = z.object({
  root: z.string(),
  version: z.string(),
  checks: z.array(CheckReportSchema),
  errors: z.number().int(),
  warnings: z.number().int(),
  notes: z.number().int(),
  skipped: z.number().int(),
});
export type DoctorReport = z.infer<typeof DoctorReportSchema>;
