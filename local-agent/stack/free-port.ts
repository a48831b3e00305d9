/** The ports on which a system listens. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that Linux and macOS give to outgoing connections: one of those could take it before it is used. */
export const CHOSEN_PORTS = { first: 20_000, last: 32_000 } as const;
const MAX_CHOICES = 100;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

async function choosePort(flag: string): Promise<number> {
  for (let choices = 0; choices < MAX_CHOICES; choices += 1) {
    const port = randomInt(CHOSEN_PORTS.first, CHOSEN_PORTS.last + 1);
    if (await isFree(port)) return port;
  }
  const { first, last } = CHOSEN_PORTS;
  throw new Error(`no free port was found from ${first} to ${last} on 127.0.0.1; choose one with ${flag}`);
}

/** The port when it is free, or any free port for 0. @throws Error when it is taken, with what to do about it */
export async function freePort(port: number, flag: string): Promise<number> {
  if (port === 0) return choosePort(flag);
  if (await isFree(port)) return port;
  throw new Error(
    `port ${port} is taken on 127.0.0.1; stop the program that listens there, or choose another port with ${flag}`,
  );
}
