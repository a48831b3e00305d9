/**
 * `pair`: lets one browser in. The client's own token is minted here, with the operator's, and handed to the agent
 * over its local API: the agent itself can mint nothing. With `--origin` it needs no browser; without, it opens a
 * window of five minutes in which the extension names the code that is shown.
 */
import type { z } from 'zod';
import { ExtensionOriginSchema } from '../../schema/contracts/bridge-frames.ts';
import { ClientIdSchema } from '../../schema/contracts/common.ts';
import {
  PairingOpenResponseSchema,
  PairingResponseSchema,
  PairingWindowSchema,
} from '../../schema/contracts/local-api.ts';
import { TokenCreatedSchema } from '../../schema/contracts/tokens.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { CommandDeps } from './deps.ts';
import { edgeArgs, operatorConfig } from './edge-access.ts';
import { present } from './output.ts';
import type { Args, ExitCode, Verb } from './verb.ts';
import { EXIT, optionalText, UsageError } from './verb.ts';

interface Paired {
  origin: string;
  client_id: string;
}

function argument<T>(name: string, value: string | undefined, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--${name}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
}

/** Waits until a browser has named the code; null when the window has closed. */
async function awaitBrowser(agent: EdgeClient): Promise<Paired | null> {
  const waitMs = BRIDGE.pairing_wait_max_ms;
  for (;;) {
    const path = `/v1/pairing?wait_ms=${waitMs}`;
    const window = await agent.call({ method: 'GET', path, timeoutMs: waitMs * 2, schema: PairingWindowSchema });
    if (window.state === 'closed') return null;
    if (window.state === 'claimed') return { origin: window.origin, client_id: window.client_id };
  }
}

async function whoPairs(args: Args, deps: CommandDeps, agent: EdgeClient): Promise<Paired | null> {
  const origin = optionalText(args, 'origin');
  const clientId = optionalText(args, 'client-id');
  if (origin !== undefined || clientId !== undefined) {
    return {
      origin: argument('origin', origin, ExtensionOriginSchema),
      client_id: argument('client-id', clientId, ClientIdSchema),
    };
  }
  const { code, expires_in_ms } = await agent.call({
    method: 'POST',
    path: '/v1/pairing',
    body: {},
    schema: PairingOpenResponseSchema,
  });
  // With --json standard output belongs to the program; the person reads the code on the other one.
  const tell = args.json === true ? deps.warn : deps.print;
  tell(`Type this code into the extension's options within ${Math.round(expires_in_ms / 60_000)} minutes: ${code}`);
  return awaitBrowser(agent);
}

async function pairWith(args: Args, deps: CommandDeps, edge: EdgeClient, agent: EdgeClient): Promise<ExitCode> {
  const paired = await whoPairs(args, deps, agent);
  if (paired === null) {
    deps.warn('no browser named the code in time; run pair again');
    return EXIT.failed;
  }
  const body = { role: 'browser_admin', subject: paired.client_id };
  const { token } = await edge.call({ method: 'POST', path: '/v1/tokens', body, schema: TokenCreatedSchema });
  await agent.call({ method: 'POST', path: '/v1/pairings', body: { ...paired, token }, schema: PairingResponseSchema });
  const answer = { client_id: paired.client_id, origin: paired.origin, token };
  present(args, deps, answer, () => deps.print(`${paired.client_id} is paired`));
  return EXIT.fine;
}

export const pair: Verb = {
  name: 'pair',
  about: 'let a browser in',
  args: {
    ...edgeArgs,
    origin: { type: 'string', description: 'moz-extension://<uuid> of the installed extension' },
    'client-id': { type: 'string', description: "the browser's client id" },
  },
  run: async (args, deps) => {
    const config = operatorConfig(args, deps);
    if (config.localApi === null) throw new UsageError('--local-api is empty: this node takes no browser');
    if (config.sharedToken === null)
      throw new UsageError('no node token: set BAA_SHARED_TOKEN, it opens the local API');
    const edge = deps.connect(config.controlApiBase, config.operatorToken);
    const agent = deps.connect(config.localApi, config.sharedToken);
    try {
      return await pairWith(args, deps, edge, agent);
    } finally {
      await Promise.all([edge.close(), agent.close()]);
    }
  },
};
