/** What the agent needs of the process: clocks, randomness, environment, sockets. Tests give it others. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { AgentDeps } from './agent.ts';
import { createEdgeClient } from './edge/http-client.ts';
import { PROGRAM_FOLDER } from './host/program-file.ts';
import { systemClock } from './lib/clock.ts';
import { DISK_FAULT_ADVICE } from './lib/errno.ts';
import { LogLimit } from './lib/log-limit.ts';
import { patientClock } from './lib/patient-clock.ts';
import { RateLimiter } from './lib/rate-limit.ts';

const OUTBOX_ID_BYTES = 12;
const DISK_FULL = `the state cannot be written and is tried again: ${DISK_FAULT_ADVICE}`;
const PackageSchema = z.object({ version: z.string() });

/** Version of this software, as package.json has it. */
export function packageVersion(): string {
  const text = readFileSync(join(PROGRAM_FOLDER, 'package.json'), 'utf8');
  return PackageSchema.parse(JSON.parse(text)).version;
}

export function agentDeps(log: Logger): AgentDeps {
  const diskFaults = new LogLimit(new RateLimiter({ perSec: 1 / 60, burst: 1 }, () => performance.now()));
  return {
    clock: patientClock(systemClock, (error) =>
      diskFaults.write((left_out) => log.warn({ error, left_out }, DISK_FULL)),
    ),
    random: Math.random,
    newOutboxId: () => randomBytes(OUTBOX_ID_BYTES).toString('hex'),
    newBootId: randomUUID,
    newTemporaryName: randomUUID,
    version: packageVersion(),
    env: process.env,
    pid: process.pid,
    log,
    connect: (baseUrl, token, caller) => createEdgeClient({ baseUrl, token, now: systemClock.now, ...caller }),
  };
}
