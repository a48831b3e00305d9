/**
 * The first tokens of a local system. The bootstrap secret is made once and kept beside the edge's state; with it the
 * operator's token and the node's token are minted, and minted again when the edge no longer knows them (its state was
 * removed). Files are 0600 in folders that are 0700.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { envelopeOf } from '../../schema/contracts/common.ts';
import type { TokenCreateBody } from '../../schema/contracts/tokens.ts';
import { TOKEN_PREFIX, TokenCreatedSchema } from '../../schema/contracts/tokens.ts';

const CreatedSchema = envelopeOf(TokenCreatedSchema);

export function readOrMakeSecret(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const secret = `${TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`;
  writeSecret(file, secret);
  return secret;
}

function writeSecret(file: string, secret: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export interface TokenRequest {
  file: string;
  body: TokenCreateBody;
  /** A route that the token must be allowed to read. */
  probe: string;
}

/** Makes sure that `file` holds a token the edge accepts; returns true when a new one was minted. */
export async function ensureToken(edgeUrl: string, bootstrap: string, request: TokenRequest): Promise<boolean> {
  if (existsSync(request.file)) {
    const held = readFileSync(request.file, 'utf8').trim();
    const probe = await fetch(`${edgeUrl}${request.probe}`, { headers: { authorization: `Bearer ${held}` } });
    await probe.body?.cancel();
    if (probe.ok) return false;
    if (probe.status !== 401 && probe.status !== 403) {
      throw new Error(`the edge answered ${probe.status} to the token in ${request.file}`);
    }
  }
  const response = await fetch(`${edgeUrl}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bootstrap}`, 'content-type': 'application/json' },
    body: JSON.stringify(request.body),
  });
  const parsed = CreatedSchema.safeParse(await response.json());
  if (!parsed.success) throw new Error(`the edge made no token (${response.status}): ${z.prettifyError(parsed.error)}`);
  writeSecret(request.file, parsed.data.data.token);
  return true;
}
