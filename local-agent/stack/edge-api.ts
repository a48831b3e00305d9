/** Reads from the edge for the demo: responses parsed with their contracts, and polling until a condition holds. */
import { z } from 'zod';
import { envelopeOf } from '../../schema/contracts/common.ts';

const POLL_MS = 50;
const EnvelopeSchema = envelopeOf(z.unknown());

export class EdgeApi {
  readonly #base: string;
  readonly #token: string;

  constructor(base: string, token: string) {
    this.#base = base;
    this.#token = token;
  }

  async get<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> {
    const response = await fetch(`${this.#base}${path}`, { headers: { authorization: `Bearer ${this.#token}` } });
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`GET ${path} failed with ${response.status}: ${JSON.stringify(body)}`);
    return schema.parse(EnvelopeSchema.parse(body).data);
  }
}

/** Polls `probe` until it resolves with a value. @throws Error after `timeoutMs`, naming `what` */
export async function eventually<T>(what: string, timeoutMs: number, probe: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + timeoutMs;
  while (Date.now() < end) {
    const found = await probe();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}, without success`);
}
