/** The edge's envelope, in Node. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorBody } from '../../schema/contracts/common.ts';
import { HEADER } from '../../schema/contracts/common.ts';
import type { AppError } from '../../schema/errors.ts';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's request id when it is well formed, else a new one. */
export function requestIdOf(request: IncomingMessage, newRequestId: () => string): string {
  const given = request.headers[HEADER.request_id];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : newRequestId();
}

export function failureBody(error: AppError, requestId: string): ErrorBody {
  return { ok: false, request_id: requestId, error: error.code, message: error.message, details: error.details };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** Answers an upgrade with an error instead, and closes. */
export function refuseUpgrade(socket: Socket, error: AppError, requestId: string): void {
  const body = JSON.stringify(failureBody(error, requestId));
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `${HEADER.request_id}: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
