/**
 * The journal's heads that were seen on this machine, one per edge and node. The edge's own copies are in the database
 * that they are to prove, so only a copy outside of it shows that a journal was cut or computed again. The agent keeps
 * the head that the responses to its own writes name; the command line keeps what it has verified.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { ChainHead } from '../../schema/contracts/journal.ts';
import { ChainHeadSchema } from '../../schema/contracts/journal.ts';

/** By the edge's address and the node's id. */
const SeenSchema = z.record(z.string(), z.record(z.string(), ChainHeadSchema));
export type SeenHeads = z.infer<typeof SeenSchema>;

/** Each file has one writer, but for `--forget-seen`, which a person calls. */
/** Their names in the state folder. */
export const SEEN_HEADS_FILES = { agent: 'journal-head.json', commands: 'journal-heads.json' } as const;
export type SeenBy = keyof typeof SEEN_HEADS_FILES;

export function seenHeadsPath(stateDir: string, by: SeenBy): string {
  return join(stateDir, SEEN_HEADS_FILES[by]);
}

/** The heads in a file's text; none in a missing file. @throws Error for a file that somebody has damaged */
export function parseSeenHeads(text: string | null, path: string): SeenHeads {
  if (text === null) return {};
  try {
    return SeenSchema.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path} cannot be read: it is not what was written there. Move it away to begin again without it`);
  }
}

/** The heads with that one, unless a later one of the node is known. */
export function withSeenHead(heads: SeenHeads, edge: string, node: string, head: ChainHead): SeenHeads {
  const known = heads[edge]?.[node];
  if (known !== undefined && known.seq >= head.seq) return heads;
  return { ...heads, [edge]: { ...heads[edge], [node]: head } };
}

/** The heads without those of the edge's nodes, or without that of one node. */
export function withoutSeen(heads: SeenHeads, edge: string, node: string | undefined): SeenHeads {
  const rest = Object.entries(heads[edge] ?? {}).filter(([name]) => node !== undefined && name !== node);
  return { ...heads, [edge]: Object.fromEntries(rest) };
}

export function seenHeadsText(heads: SeenHeads): string {
  return `${JSON.stringify(heads, null, 2)}\n`;
}
