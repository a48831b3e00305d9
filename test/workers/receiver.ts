/**
 * A real HTTP server on this machine that tests of notices send to. What it does depends on the path:
 * `/accepts/…`, `/fails-once/…`, `/fails/…`, `/redirects/…`, `/hangs/…`. `GET /seen/<path>` lists the requests to a path.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestProject } from 'vitest/node';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Its origin. */
    receiver: string;
  }
}

const SEEN = '/seen';

function respond(path: string, tries: number, response: ServerResponse): void {
  const [, what] = path.split('/');
  if (what === 'hangs') return;
  if (what === 'redirects') response.setHeader('location', path.replace('redirects', 'accepts'));
  const fails = what === 'fails' || (what === 'fails-once' && tries === 1);
  response.statusCode = what === 'redirects' ? 307 : fails ? 500 : 200;
  response.end('a body that is not read');
}

export default async function startReceiver(project: TestProject): Promise<() => Promise<void>> {
  const seen = new Map<string, Received[]>();
  const server = createServer(async (request, response) => {
    // A connection that is kept could be closed just as the next request begins on it.
    response.setHeader('connection', 'close');
    const path = request.url ?? '';
    if (path.startsWith(SEEN)) return void response.end(JSON.stringify(seen.get(path.slice(SEEN.length)) ?? []));
    const list = [...(seen.get(path) ?? []), { headers: request.headers, body: await text(request) }];
    seen.set(path, list);
    respond(path, list.length, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('receiver', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}
