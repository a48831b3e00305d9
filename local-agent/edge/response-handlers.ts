/** What follows when the edge has responded to an outbox row: one handler for each kind of row. */
import type { z } from 'zod';
import type { ErrorCode } from '../../schema/errors.ts';
import type { Refusal } from '../store/outbox.ts';

/** The row that the edge responded to. */
export interface SentRow {
  stream: string;
  /** What was sent. */
  body: unknown;
  /** The `context` that the row was appended with. */
  context: unknown;
  /** When the response arrived: wall clock, Unix milliseconds. */
  respondedAt: number;
}

/** Runs after the commit. */
export type AfterCommit = (() => void) | undefined;

/**
 * Both functions run once per row, inside the transaction that removes the stored response: what they store and its
 * removal are committed together. They are synchronous; asynchronous work belongs into the function that they return.
 */
export interface ResponseHandler<T = unknown> {
  schema: z.ZodType<T>;
  onResponse(response: T, row: SentRow): AfterCommit;
  /** Codes of refusals that end when something else changes: the row waits, and the rows of its stream behind it. */
  waitsFor?: readonly ErrorCode[];
  /** The edge will never accept this row (a 4xx). */
  onRefusal?(refusal: Refusal, row: SentRow): AfterCommit;
}

export type ResponseHandlers = ReadonlyMap<string, ResponseHandler>;

/** Types a handler by its schema, and hides that type from the registry. */
export function responseHandler<T>(handler: ResponseHandler<T>): ResponseHandler {
  const { schema, waitsFor, onRefusal } = handler;
  return {
    schema,
    onResponse: (response, row) => handler.onResponse(schema.parse(response), row),
    ...(waitsFor && { waitsFor }),
    ...(onRefusal && { onRefusal: (refusal, row) => onRefusal(refusal, row) }),
  };
}
