/** An HTTP proxy that adds the token to each request, for a client that cannot send one. Everything else passes as it is. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';

export interface TokenProxy {
  url: string;
  close(): Promise<void>;
}

export async function openTokenProxy(target: string, token: string): Promise<TokenProxy> {
  const own = { host: '' };
  /** What names this proxy names the target; a foreign host or origin, which the target refuses, stays. */
  const named = (value = '') => value.replaceAll(own.host, new URL(target).host);
  const server = createServer((from, to) => {
    const authorization = `Bearer ${token}`;
    const { host, origin } = from.headers;
    const names = { host: named(host), ...(origin !== undefined && { origin: named(origin) }) };
    const passed = request(target, { method: from.method, headers: { ...from.headers, ...names, authorization } });
    passed.on('response', (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    passed.on('error', () => to.destroy());
    from.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the proxy does not listen');
  own.host = `127.0.0.1:${address.port}`;
  return {
    url: `http://${own.host}/mcp`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
