/**
 * A scripted model on loopback. The script says what the model does in each turn of a session, counted by the results of
 * tools that the agent has sent; an encoder puts that into the protocol of one vendor.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export type ModelAct =
  | { type: 'write'; path: string; text: string }
  | { type: 'run'; command: string }
  /** Calls a tool of the MCP server `conductor`. */
  | { type: 'call'; tool: string; arguments: Record<string, unknown> }
  | { type: 'say'; text: string }
  | { type: 'refuse' }
  | { type: 'status'; status: number }
  /** Never responds. */
  | { type: 'hang' };

export interface Protocol {
  path: RegExp;
  /** How many results of tools the request has; null for a request that is no turn. */
  turnOf: (body: Record<string, unknown>) => number | null;
  respond: (response: ServerResponse, act: ModelAct, turn: number, body: Record<string, unknown>) => void;
  errorBody: (status: number) => unknown;
}

export interface ModelServer {
  url: string;
  /** The requests that were turns. */
  turns: Record<string, unknown>[];
}

/** Sends one server-sent event. */
export function sendEvent(response: ServerResponse, data: { type: string }): void {
  response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** The last act is repeated. */
export async function startModel(protocol: Protocol, script: readonly ModelAct[]): Promise<ModelServer> {
  const turns: Record<string, unknown>[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'POST' || !protocol.path.test(request.url ?? '')) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
      return;
    }
    const body = (await json(request)) as Record<string, unknown>;
    const turn = protocol.turnOf(body);
    const act = script[Math.min(turn ?? 0, script.length - 1)] ?? { type: 'say', text: 'done' };
    if (turn !== null) turns.push(body);
    if (act.type === 'hang') return;
    if (act.type === 'status') {
      response.writeHead(act.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(protocol.errorBody(act.status)));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    protocol.respond(response, turn === null ? { type: 'say', text: 'title' } : act, turn ?? 0, body);
    response.end();
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, turns };
}
