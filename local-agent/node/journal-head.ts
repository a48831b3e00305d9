/**
 * The newest head of this node's journal that the edge has named, kept in a file beside the state of the agent. An
 * attacker who writes the edge's database can cut or compute a journal again, but not what the node remembers of it.
 */
import type { Logger } from 'pino';
import type { ChainHead } from '../../schema/contracts/journal.ts';
import { parseSeenHeads, seenHeadsText, withSeenHead } from '../config/seen-heads.ts';

/** Heads that are remembered, to notice that the edge has written another block in a place. */
const REMEMBERED = 200;

export interface JournalHeadDeps {
  edge: string;
  nodeId: string;
  path: string;
  readFile: (path: string) => string | null;
  writeFile: (path: string, text: string) => void;
  log: Pick<Logger, 'warn' | 'error'>;
}

/** Takes each head that a response names. They arrive in any order, because streams are sent in parallel. */
export function keepJournalHead({ edge, nodeId, path, readFile, writeFile, log }: JournalHeadDeps) {
  const recent = new Map<number, string>();
  return (head: ChainHead): void => {
    const known = recent.get(head.seq);
    if (known !== undefined && known !== head.hash) {
      const fields = { block: head.seq, was: known, is: head.hash };
      log.error(fields, "the edge has written another block in this node's journal; run: conductor journal verify");
      return;
    }
    recent.set(head.seq, head.hash);
    const [oldest] = recent.keys();
    if (recent.size > REMEMBERED && oldest !== undefined) recent.delete(oldest);
    try {
      const kept = parseSeenHeads(readFile(path), path);
      const next = withSeenHead(kept, edge, nodeId, head);
      if (next !== kept) writeFile(path, seenHeadsText(next));
    } catch (error) {
      log.warn({ err: error }, "the head of this node's journal could not be kept");
    }
  };
}
