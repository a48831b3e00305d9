/**
 * The first start after `conductor restore`: what the databases show as in flight may have ended since the backup, so the edge quarantines
 * it before any agent continues it.
 */
import { existsSync, rmSync } from 'node:fs';
import { RestoreCheckResponseSchema } from '../../schema/contracts/system.ts';
import { restoredPath } from '../config/root-files.ts';
import type { EdgeClient } from '../edge/http-client.ts';

/** Calls of the edge, each of which quarantines a bounded number. */
const MAX_CALLS = 1_000;

/** @throws EdgeError when the edge fails, Error when more is left; the next start then continues */
export async function finishRestore(edge: EdgeClient, root: string, say: (line: string) => void): Promise<void> {
  const mark = restoredPath(root);
  if (!existsSync(mark)) return;
  const check = (body: { force?: boolean }) =>
    edge.call({ method: 'POST', path: '/v1/system/restore-check', body, schema: RestoreCheckResponseSchema });
  let response = await check({ force: true });
  say(`this root was restored: ${response.summary}`);
  for (let calls = 1; response.more && calls < MAX_CALLS; calls += 1) response = await check({});
  if (response.more)
    throw new Error(
      `${MAX_CALLS} calls have not quarantined all that was in flight at the backup: start it again, which continues`,
    );
  rmSync(mark);
}
