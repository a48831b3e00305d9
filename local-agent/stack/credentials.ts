/**
 * The first tokens of a local system. The bootstrap secret is generated once and kept beside the edge's state. With it
 * the operator's token and the node's token are created, again when the edge does not accept them, as after its state
 * was removed. Files have mode 0600, their folders 0700.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { TokenCreateBody } from '../../schema/contracts/tokens.ts';
import { SessionSchema, TOKEN_PREFIX, TokenCreatedSchema } from '../../schema/contracts/tokens.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import { replacePrivateFile } from '../host/own-files.ts';

/** Statuses of the edge for a token that it does not know or that may not read the route. */
const REFUSED: ReadonlySet<number> = new Set([401, 403]);

export function readOrCreateSecret(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const secret = `${TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`;
  replacePrivateFile(file, `${secret}\n`);
  return secret;
}

export interface TokenRequest {
  file: string;
  body: TokenCreateBody;
  /** A route that the token must be allowed to read. */
  probe: string;
}

/**
 * Makes sure that `file` holds a token that the edge accepts. Resolves with true when it has created a new one.
 *
 * @throws EdgeError when the edge cannot be reached or fails.
 */
export async function ensureToken(edge: EdgeClient, { file, body, probe }: TokenRequest): Promise<boolean> {
  if (existsSync(file) && (await isAccepted(edge, probe, readFileSync(file, 'utf8').trim()))) return false;
  const { token } = await edge.call({ method: 'POST', path: '/v1/tokens', body, schema: TokenCreatedSchema });
  replacePrivateFile(file, `${token}\n`);
  return true;
}

/** The id of the node that the token in `file` is bound to; null without a token that the edge accepts. */
export async function boundNodeId(edge: EdgeClient, file: string): Promise<string | null> {
  if (!existsSync(file)) return null;
  const token = readFileSync(file, 'utf8').trim();
  try {
    const session = await edge.call({ method: 'GET', path: '/v1/session', token, schema: SessionSchema });
    return session.controller_id;
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof EdgeError && REFUSED.has(error.status);
}

async function isAccepted(edge: EdgeClient, probe: string, token: string): Promise<boolean> {
  try {
    await edge.call({ method: 'GET', path: probe, token, schema: z.unknown() });
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}
