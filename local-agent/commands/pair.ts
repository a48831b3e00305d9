/**
 * `pair`: pairs one browser with this node. The command creates the browser's token with the operator's token and
 * passes it to the agent over the local API, as the agent itself cannot create tokens. With `--origin` no browser has
 * to be connected; otherwise the command opens a pairing window of five minutes and shows the code that the extension
 * has to send.
 */
import type { z } from 'zod';
import { ExtensionOriginSchema } from '../../schema/contracts/bridge-frames.ts';
import { ClientIdSchema } from '../../schema/contracts/common.ts';
import { PairingOpenResponseSchema, PairingWindowSchema } from '../../schema/contracts/local-api.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { valueOption } from '../config/flags.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { Args, CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { agentAccess, edgeOptions, operatorConfig } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { present } from './output.ts';
import type { BrowserIdentity } from './pin-browser.ts';
import { pairBrowser } from './pin-browser.ts';

function parseOption<T>(name: string, value: string | undefined, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--${name}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
}

const NO_CODE = 'no browser sent the code in time; run pair again';
const GUESSED = `the pairing window closed after ${BRIDGE.pairing_tries_total} wrong codes: a program on this machine guesses codes. The log of the agent names its origins; end it, then run pair again`;

/** Waits until a browser has sent the code; null, with a warning, when the window closes first. */
async function awaitBrowser(deps: CommandDeps, agent: EdgeClient): Promise<BrowserIdentity | null> {
  const waitMs = BRIDGE.pairing_wait_max_ms;
  for (;;) {
    const path = `/v1/pairing?wait_ms=${waitMs}`;
    const window = await agent.call({ method: 'GET', path, timeoutMs: waitMs * 2, schema: PairingWindowSchema });
    if (window.state === 'closed') {
      deps.warn(window.too_many_wrong_codes ? GUESSED : NO_CODE);
      return null;
    }
    if (window.state === 'claimed') return { origin: window.origin, client_id: window.client_id };
  }
}

async function identifyBrowser(args: Args, deps: CommandDeps, agent: EdgeClient): Promise<BrowserIdentity | null> {
  const origin = optionalText(args, 'origin');
  const clientId = optionalText(args, 'clientId');
  if (origin !== undefined || clientId !== undefined) {
    return {
      origin: parseOption('origin', origin, ExtensionOriginSchema),
      client_id: parseOption('client-id', clientId, ClientIdSchema),
    };
  }
  const { code, expires_in_ms } = await agent.call({
    method: 'POST',
    path: '/v1/pairing',
    body: {},
    schema: PairingOpenResponseSchema,
  });
  // With --json only the result goes to standard output, for a program; the person reads the code on standard error.
  const show = args.json === true ? deps.warn : deps.print;
  show(`Type this code into the extension's options within ${Math.round(expires_in_ms / 60_000)} minutes: ${code}`);
  return awaitBrowser(deps, agent);
}

async function pairWith(args: Args, deps: CommandDeps, edge: EdgeClient, agent: EdgeClient): Promise<ExitCode> {
  const browser = await identifyBrowser(args, deps, agent);
  if (browser === null) return EXIT.failed;
  const { token } = await pairBrowser(edge, agent, browser);
  const result = { client_id: browser.client_id, origin: browser.origin, token };
  present(args, deps, result, () => deps.print(`${browser.client_id} is paired`));
  return EXIT.fine;
}

export const pair: CliCommand = {
  name: 'pair',
  about: 'pair a browser with this node',
  examples: ['pair'],
  options: [
    ...edgeOptions,
    valueOption('--origin <origin>', 'moz-extension://<uuid> of the installed extension'),
    valueOption('--client-id <id>', "the browser's client id"),
  ],
  run: async (args, deps) => {
    const { controlApiBase, operatorToken } = operatorConfig(args, deps);
    const { localApi, sharedToken } = agentAccess(args, deps);
    const edge = deps.connect(controlApiBase, operatorToken);
    const agent = deps.connect(localApi, sharedToken);
    try {
      return await pairWith(args, deps, edge, agent);
    } finally {
      await Promise.all([edge.close(), agent.close()]);
    }
  },
};
