/** The steps of a deploy after the Worker runs: is it healthy, who operates it, and where is it found. */

import { parse } from 'smol-toml';
import { TokenCreatedSchema } from '../../../schema/contracts/tokens.ts';
import { configPathOf } from '../../config/root-files.ts';
import { EdgeError } from '../../edge/http-client.ts';
import { readOwnFile, replacePrivateFile } from '../../host/own-files.ts';
import { layoutOf } from '../layout.ts';
import { withAddress } from './decide.ts';
import { sessionOf } from './session.ts';
import type { Deployment } from './step.ts';
import { deployLine } from './step.ts';
import { StepError } from './step-error.ts';

const HEALTH = { tries: 30, pause_ms: 2_000, timeout_ms: 5_000 } as const;
const AGAIN = 'run the deploy again: it continues here';

function requireAddress({ address, target }: Deployment): string {
  if (address !== null) return address;
  throw new StepError(
    `the Worker ${target.worker} has no address`,
    'wrangler.toml has neither workers_dev nor a custom domain for it, or wrangler named none',
    'add one, or name it: --address https://…',
  );
}

async function healthOf(address: string): Promise<string> {
  try {
    const response = await fetch(`${address}/healthz`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(HEALTH.timeout_ms),
    });
    const text = await response.text();
    return response.ok && text === 'ok' ? 'ok' : `it responded ${response.status}`;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null;
    return cause instanceof Error ? cause.message : String(error);
  }
}

export async function checkHealth(d: Deployment): Promise<string> {
  const address = requireAddress(d);
  let health = '';
  for (let tries = 0; tries < HEALTH.tries; tries += 1) {
    if (tries > 0) await d.wait(HEALTH.pause_ms);
    health = await healthOf(address);
    if (health === 'ok') return `${address}/healthz is ok`;
  }
  const isAccess = /responded 30[1-8]|responded 403/.test(health);
  throw new StepError(
    `${address}/healthz was not ok within ${(HEALTH.tries * HEALTH.pause_ms) / 1_000} s: ${health}`,
    isAccess
      ? 'something before the Worker responds, such as Cloudflare Access'
      : 'a new address takes a minute to become known, or the Worker fails: "npx wrangler tail" shows its log',
    isAccess ? 'let /healthz and /v1 through for service tokens (docs/security.md), then run the deploy again' : AGAIN,
  );
}

/** The first operator token, which the command line of this root uses. */
export async function ensureOperator(d: Deployment): Promise<string> {
  const address = requireAddress(d);
  const { operatorFile } = layoutOf(d.root);
  const kept = readOwnFile(operatorFile)?.trim();
  if (kept !== undefined) {
    const session = await sessionOf(d, address, kept);
    if (session !== null) return `${operatorFile} is accepted as ${session.role}`;
    throw new StepError(
      `the edge does not accept the token in ${operatorFile}`,
      'it was revoked, or it belongs to another edge',
      'move the file away, then run the deploy again: it makes a new token',
    );
  }
  const secret = d.env.BAA_BOOTSTRAP_TOKEN ?? readOwnFile(d.files.secret)?.trim();
  if (secret === undefined) {
    throw new StepError(
      'no operator token, and the bootstrap secret is not on this machine',
      'the secret was set from another machine; it cannot be read back from Cloudflare',
      `copy ${operatorFile} from there, set BAA_BOOTSTRAP_TOKEN, or set a new secret: ${deployLine(d, '--new-secret')}`,
    );
  }
  const edge = d.connect(address, secret);
  try {
    const body = { role: 'ops_admin', subject: 'operator' };
    const { token } = await edge.call({ method: 'POST', path: '/v1/tokens', body, schema: TokenCreatedSchema });
    replacePrivateFile(operatorFile, `${token}\n`);
    return `written to ${operatorFile}`;
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    const hasOther = error.status === 401;
    // Such as the placeholder, left as it is on the setup page of the button.
    const hasUnusable = error.code === 'auth_not_configured';
    const why = hasOther ? 'the bootstrap secret of this machine is not the one that the Worker has' : address;
    throw new StepError(
      `the edge did not make an operator token: ${error.message}`,
      hasUnusable ? 'the bootstrap secret that the Worker has is a placeholder or too short' : why,
      hasOther || hasUnusable ? `set a new one: ${deployLine(d, '--new-secret')}` : AGAIN,
    );
  } finally {
    await edge.close();
  }
}

export async function ensureConfig(d: Deployment): Promise<string> {
  const address = requireAddress(d);
  const path = configPathOf(d.root);
  const text = readOwnFile(path) ?? '';
  const known = parse(text).control_api_base;
  if (known === address) return `${path} names ${address}`;
  if (known !== undefined) return `left alone: ${path} names ${String(known)}, the edge is at ${address}`;
  const line = `control_api_base = "${address}"`;
  const agreed = d.flags.writeConfig || (d.confirm !== null && (await d.confirm(`Write ${line} into ${path}?`)));
  if (!agreed) return `not written: add ${line} to ${path}, or run again with --write-config`;
  replacePrivateFile(path, withAddress(text, address));
  return `${path} names ${address} now`;
}
