/** Artifacts: the full output of a result, by token or by a signed link that expires. */
import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { idSchema } from '../../schema/contracts/common.ts';
import { ArtifactSchema } from '../../schema/contracts/events.ts';
import { AppError } from '../../schema/errors.ts';
import { artifacts as artifactRows } from '../../schema/tables/index.ts';
import { verifyArtifactLink } from '../crypto/signed-link.ts';
import type { Database } from '../db/open.ts';
import type { MountedRoute } from '../http/route.ts';
import { publicRoute, READERS, read } from '../http/route.ts';

const tag = 'artifacts';
const ArtifactIdSchema = idSchema('art');
/** Untrusted text: shown as plain text, never executed or cached, and its address is sent to no other site. */
const TEXT_ONLY = {
  'content-type': 'text/plain; charset=utf-8',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cache-control': 'private, no-store',
  'referrer-policy': 'no-referrer',
};

export const artifacts: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/artifacts/:artifact_id',
      summary: 'The full output of a result',
      tag,
      roles: READERS,
      params: z.object({ artifact_id: ArtifactIdSchema }),
      data: ArtifactSchema,
      errors: ['artifact_not_found'],
    },
    ({ db, params: { artifact_id } }) => readArtifact(db, artifact_id),
  ),
  publicRoute(
    {
      method: 'get',
      path: '/artifact/:artifact_id/:signature',
      summary: 'The full output of a result as plain text, by a signed link that expires',
      tag,
      params: z.object({ artifact_id: ArtifactIdSchema, signature: z.string().max(128) }),
      data: z.string(),
      produces: 'text/plain',
      errors: ['artifact_not_found', 'auth_not_configured'],
    },
    async (c, { artifact_id, signature }) => {
      const isValid = await verifyArtifactLink(c.env, artifact_id, signature, c.var.now);
      // The same response as for an artifact that does not exist, so an invalid link reveals nothing.
      if (!isValid) throw new AppError('artifact_not_found', 'this link is not valid, or has expired');
      return c.body((await readArtifact(c.var.db, artifact_id)).content, 200, TEXT_ONLY);
    },
  ),
];

async function readArtifact(db: Database, artifact_id: string) {
  const row = await db.select().from(artifactRows).where(eq(artifactRows.artifact_id, artifact_id)).get();
  if (!row) throw new AppError('artifact_not_found', `there is no artifact ${artifact_id}`);
  return row;
}
