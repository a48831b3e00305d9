/** What follows when the edge has answered an outbox row: one handler for each kind of row. */
import type { z } from 'zod';
import type { Refusal } from '../store/outbox.ts';

/** The row that was answered. */
export interface SentRow {
  stream: string;
  /** What was sent. */
  body: unknown;
  /** What `append` was given as context. */
  context: unknown;
  /** Wall clock, Unix ms, when the answer arrived. */
  answeredAt: number;
}

/** Runs after the transaction is stored: to wake whoever acts on it. */
export type AfterCommit = (() => void) | undefined;

/**
 * Both functions run inside the transaction that works the answer off, exactly once per row: what they store and
 * the answer's removal are one. They are synchronous; whatever waits belongs into the function they return.
 */
export interface ResponseHandler<A = unknown> {
  schema: z.ZodType<A>;
  answered(answer: A, row: SentRow): AfterCommit;
  /** The edge will never have this row (a 4xx). */
  refused?(refusal: Refusal, row: SentRow): AfterCommit;
}

export type ResponseHandlers = ReadonlyMap<string, ResponseHandler>;

/** A handler typed by its schema, as the registry keeps it. */
export function responseHandler<A>(handler: ResponseHandler<A>): ResponseHandler {
  const { refused } = handler;
  return {
    schema: handler.schema,
    answered: (answer, row) => handler.answered(handler.schema.parse(answer), row),
    ...(refused && { refused: (refusal, row) => refused(refusal, row) }),
  };
}
