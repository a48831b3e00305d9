/** What the agent needs of the process: clocks, randomness, environment, sockets. Tests give it others. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { AgentDeps } from './agent.ts';
import { createEdgeClient } from './edge/http-client.ts';
import { systemClock } from './lib/clock.ts';

const OUTBOX_ID_BYTES = 12;
const PackageSchema = z.object({ version: z.string() });

/** Version of this software, as package.json has it. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return PackageSchema.parse(JSON.parse(text)).version;
}

export function agentDeps(log: Logger): AgentDeps {
  return {
    clock: systemClock,
    random: Math.random,
    newOutboxId: () => randomBytes(OUTBOX_ID_BYTES).toString('hex'),
    newBootId: randomUUID,
    newTemporaryName: randomUUID,
    version: packageVersion(),
    env: process.env,
    pid: process.pid,
    log,
    connect: (baseUrl, token, node) => createEdgeClient({ baseUrl, token, now: systemClock.now, ...node }),
  };
}
