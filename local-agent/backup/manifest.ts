/** The first entry of a backup: what it contains, by which a restore knows that nothing is missing or altered. */
import { z } from 'zod';
import { Sha256Schema } from '../../schema/contracts/common.ts';

export const MANIFEST = 'manifest.json';
export const FORMAT = 1;

/** Folders and files below a root that a backup may contain; nothing is restored to another place. */
const PATH = /^(config\.toml|policy\.json|(state|edge)\/[\w.-]+(\/[\w.-]+)*)$/;

export const ManifestSchema = z.object({
  format: z.literal(FORMAT, `a backup of format ${FORMAT}; one of another version needs that version`),
  made_at: z.string(),
  version: z.string(),
  node_id: z.string().nullable(),
  /** Whether the system ran meanwhile. */
  running: z.boolean(),
  files: z.array(
    z.object({
      path: z
        .string()
        .regex(PATH, 'a path of a backup')
        .refine((path) => !path.split('/').includes('..'), 'no ..'),
      bytes: z.number().int().nonnegative(),
      sha256: Sha256Schema,
    }),
  ),
});
export type Manifest = z.infer<typeof ManifestSchema>;
