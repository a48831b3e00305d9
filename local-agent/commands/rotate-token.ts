/**
 * `tokens rotate`: a new secret for a token, in place of the old one at once. When this host itself uses the token from a
 * file of its state folder, the new secret replaces the old one there; otherwise it is printed, for the person who knows
 * where the token is used.
 */
import { join } from 'node:path';
import type { TokenCreated } from '../../schema/contracts/tokens.ts';
import { SessionSchema, TokenCreatedSchema, TokenRotateBodySchema } from '../../schema/contracts/tokens.ts';
import { connectionOptions, valueOption } from '../config/flags.ts';
import { SETTINGS } from '../config/settings.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, operatorConfig } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { present } from './output.ts';

/** Where this host has a token: a file that can be replaced, or a place that only a person can change. */
interface Place {
  secret: string;
  path: string | null;
  /** The place as a person knows it. */
  name: string;
  /** What has to be done after it has changed. */
  after: string | null;
}

const UNAUTHORIZED = 401;
const RESTART = 'restart the agent of this node, which still has the old one';

/** The tokens that this host uses. */
function placesOf(args: Args, deps: CommandDeps): Place[] {
  const { config, origins } = configOf(args, deps, connectionOptions);
  return (['operatorToken', 'sharedToken'] as const).flatMap((key) => {
    const secret = config[key];
    if (secret === null) return [];
    const { file = '', env } = SETTINGS[key];
    const path = origins[key] === 'file' ? join(config.stateDir, file) : null;
    const name = path ?? (origins[key] === 'environment' ? env : origins[key]);
    return [{ secret, path, name, after: key === 'sharedToken' ? RESTART : null }];
  });
}

/** The token's place on this host; null when this host does not use it. */
async function ownPlace(edge: EdgeClient, id: string, places: readonly Place[]): Promise<Place | null> {
  for (const place of places) {
    try {
      const call = { method: 'GET', path: '/v1/session', token: place.secret, schema: SessionSchema } as const;
      if ((await edge.call(call)).token_id === id) return place;
    } catch (error) {
      if (!(error instanceof EdgeError) || error.status !== UNAUTHORIZED) throw error;
    }
  }
  return null;
}

function bodyOf(args: Args): { expires_in_ms?: number } {
  const expires = optionalText(args, 'expiresInMs');
  const body = TokenRotateBodySchema.safeParse(expires === undefined ? {} : { expires_in_ms: Number(expires) });
  if (body.success) return body.data;
  throw new UsageError('--expires-in-ms: from a second to ten years, in milliseconds');
}

async function rotate(edge: EdgeClient, id: string, body: { expires_in_ms?: number }): Promise<TokenCreated> {
  const path = `/v1/tokens/${encodeURIComponent(id)}/rotate`;
  try {
    return await edge.call({ method: 'POST', path, body, schema: TokenCreatedSchema });
  } catch (error) {
    if (!(error instanceof EdgeError) || error.kind !== 'network') throw error;
    const what = 'the response did not arrive, so the old secret may be invalid and the new one is lost';
    throw new EdgeError(
      'network',
      0,
      error.code,
      `${error.message}: ${what}; rotate it again with another operator's token`,
    );
  }
}

/** Stores the secret in the file. False, with the reason, when that failed: then it must be printed. */
function stored(deps: CommandDeps, path: string, secret: string): boolean {
  try {
    deps.writeFile(path, `${secret}\n`);
    return true;
  } catch (error) {
    deps.warn(`${path} could not be written: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function run(args: Args, deps: CommandDeps): Promise<ExitCode> {
  const id = String(args.token);
  const body = bodyOf(args);
  const { controlApiBase, operatorToken } = operatorConfig(args, deps);
  const edge = deps.connect(controlApiBase, operatorToken);
  try {
    const place = await ownPlace(edge, id, placesOf(args, deps));
    // Fails before the old secret is gone, when the folder is read-only or the disk is full.
    if (place !== null && place.path !== null) deps.writeFile(place.path, `${place.secret}\n`);
    const { token, ...rotated } = await rotate(edge, id, body);
    const isStored = place !== null && place.path !== null && stored(deps, place.path, token);
    const shown = isStored ? { ...rotated, written_to: place.path } : { ...rotated, written_to: null, token };
    present(args, deps, shown, () => {
      if (!isStored) deps.print(token);
      const where = isStored ? `, and it is in ${place.path}` : '. It is not shown again';
      deps.warn(`${id} has a new secret${where}; the old one is invalid now`);
    });
    if (place !== null && !isStored) deps.warn(`this host uses the old secret from ${place.name}: replace it there`);
    if (place !== null && place.after !== null) deps.warn(place.after);
    return place !== null && place.path !== null && !isStored ? EXIT.failed : EXIT.fine;
  } finally {
    await edge.close();
  }
}

export const rotateToken: CliCommand = {
  name: 'rotate',
  about: 'give a token a new secret; the old one is invalid at once, and a file of this host that holds it is replaced',
  examples: ['tokens rotate TOKEN_ID'],
  argument: idArgument('token', 'tok_…'),
  options: [...edgeOptions, valueOption('--expires-in-ms <ms>', 'a new lifetime from now (default: its end stays)')],
  run,
};
