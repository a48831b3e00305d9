import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { CHOSEN_PORTS, freePort } from '../../../../local-agent/stack/free-port.ts';

it('port 0 becomes a free port that no outgoing connection gets', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort(0, '--port')));
  for (const port of ports) {
    // Linux begins at 32,768, and macOS at 49,152.
    expect(port).toBeLessThan(32_768);
    expect(port).toBeGreaterThanOrEqual(CHOSEN_PORTS.first);
  }
});

it('a port that is taken is refused with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(freePort(port, '--agent-port')).rejects.toThrow(/is taken on 127\.0\.0\.1; .*--agent-port/);
});
