/** `journal`: the story of all instructions of a node as the edge keeps it, checked link by link, or written out. */
import type { JournalEntry } from '../../schema/contracts/journal.ts';
import { JournalPageSchema } from '../../schema/contracts/journal.ts';
import type { ChainHead } from '../../schema/domain/journal-chain.ts';
import { EMPTY_CHAIN, verifyChain } from '../../schema/domain/journal-chain.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { sha256Hex } from '../lib/hash.ts';
import type { CommandDeps } from './deps.ts';
import { edgeArgs, operatorConfig } from './edge-access.ts';
import { present } from './output.ts';
import type { Args, Verb } from './verb.ts';
import { EXIT, optionalText } from './verb.ts';

interface Page {
  items: JournalEntry[];
  head: ChainHead | null;
}

async function* pagesOf(edge: EdgeClient, node: string): AsyncGenerator<Page> {
  let after: number | null = 0;
  while (after !== null) {
    const path: string = `/v1/journal?controller_id=${encodeURIComponent(node)}&after=${after}`;
    const page = await edge.call({ method: 'GET', path, schema: JournalPageSchema });
    yield page;
    after = page.next_after;
  }
}

/** Runs `use` over the node's journal, page by page. */
async function withJournal<T>(
  args: Args,
  deps: CommandDeps,
  use: (pages: AsyncIterable<Page>, node: string) => Promise<T>,
): Promise<T> {
  const config = operatorConfig(args, deps);
  const node = optionalText(args, 'of') ?? config.nodeId;
  const edge = deps.connect(config.controlApiBase, config.operatorToken);
  try {
    return await use(pagesOf(edge, node), node);
  } finally {
    await edge.close();
  }
}

type Checked = { ok: true; entries: number; hash: string } | { ok: false; seq: number; reason: string };

async function check(pages: AsyncIterable<Page>): Promise<Checked> {
  let last = EMPTY_CHAIN;
  let claimed: ChainHead | null = null;
  for await (const { items, head } of pages) {
    const verdict = await verifyChain(sha256Hex, last, items);
    if (!verdict.ok) return verdict;
    last = verdict.head;
    claimed = head;
  }
  const { seq, hash } = claimed ?? EMPTY_CHAIN;
  if (seq > last.seq) return { ok: false, seq: last.seq + 1, reason: `the journal ends before entry ${seq}` };
  if (seq !== last.seq || hash !== last.hash) {
    return { ok: false, seq: last.seq, reason: `its end is kept as entry ${seq} with the hash ${hash}` };
  }
  return { ok: true, entries: last.seq, hash: last.hash };
}

const args = { ...edgeArgs, of: { type: 'string', description: 'whose journal (without: this node)' } } as const;

const verify: Verb = {
  name: 'verify',
  about: 'check that nothing in the journal was altered or left out',
  args,
  run: (given, deps) =>
    withJournal(given, deps, async (pages, node) => {
      const checked = await check(pages);
      present(given, deps, { controller_id: node, ...checked }, () => {
        if (checked.ok)
          deps.print(`${checked.entries} entries of ${node} are whole; the last has the hash ${checked.hash}`);
      });
      if (checked.ok) return EXIT.fine;
      deps.warn(`the journal of ${node} is broken at entry ${checked.seq}: ${checked.reason}`);
      return EXIT.failed;
    }),
};

const exported: Verb = {
  name: 'export',
  about: 'write the journal out, one JSON object a line',
  args: { ...args, out: { type: 'string', description: 'a new file (without: standard output)' } },
  run: (given, deps) =>
    withJournal(given, deps, async (pages, node) => {
      const file = optionalText(given, 'out');
      const lines: string[] = [];
      for await (const { items } of pages) {
        for (const item of items) {
          if (file === undefined) deps.print(JSON.stringify(item));
          else lines.push(`${JSON.stringify(item)}\n`);
        }
      }
      if (file === undefined) return EXIT.fine;
      deps.writeNewFile(file, lines.join(''));
      deps.warn(`${lines.length} entries of ${node} are in ${file}`);
      return EXIT.fine;
    }),
};

export const journal: readonly Verb[] = [verify, exported];
