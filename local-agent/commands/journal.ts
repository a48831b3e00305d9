/** `journal`: verifies or exports the hash-chained journal of all instructions of a node, as the edge keeps it. */
import type { JournalPage } from '../../schema/contracts/journal.ts';
import { JournalPageSchema } from '../../schema/contracts/journal.ts';
import { EMPTY_CHAIN, verifyChain } from '../../schema/domain/journal-chain.ts';
import { valueOption } from '../config/flags.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { sha256Hex } from '../lib/hash.ts';
import type { Args, CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, operatorConfig } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { present } from './output.ts';

/** The node's journal, page by page from its first block. */
async function* readPages(edge: EdgeClient, node: string): AsyncGenerator<JournalPage> {
  let after: number | null = 0;
  while (after !== null) {
    const path: string = `/v1/journal?controller_id=${encodeURIComponent(node)}&after=${after}`;
    const page = await edge.call({ method: 'GET', path, schema: JournalPageSchema });
    yield page;
    after = page.next_after;
  }
}

/** Runs `use` with the journal of the node that `--of` names, or of this node. */
async function withJournal<T>(
  args: Args,
  deps: CommandDeps,
  use: (pages: AsyncIterable<JournalPage>, node: string) => Promise<T>,
): Promise<T> {
  const config = operatorConfig(args, deps);
  const node = optionalText(args, 'of') ?? config.nodeId;
  const edge = deps.connect(config.controlApiBase, config.operatorToken);
  try {
    return await use(readPages(edge, node), node);
  } finally {
    await edge.close();
  }
}

type Verdict = { ok: true; blocks: number; entries: number; hash: string } | { ok: false; seq: number; reason: string };

async function verifyPages(pages: AsyncIterable<JournalPage>): Promise<Verdict> {
  let head = EMPTY_CHAIN;
  let entries = 0;
  for await (const page of pages) {
    const verdict = await verifyChain(sha256Hex, head, page);
    if (!verdict.ok) return verdict;
    head = verdict.head;
    entries += page.items.reduce((sum, block) => sum + block.entries.length, 0);
  }
  return { ok: true, blocks: head.seq, entries, hash: head.hash };
}

const options = [...edgeOptions, valueOption('--of <node>', 'the node whose journal it is (default: this node)')];

const verify: CliCommand = {
  name: 'verify',
  about: 'check that no entry of the journal was altered or removed',
  options,
  run: (args, deps) =>
    withJournal(args, deps, async (pages, node) => {
      const verdict = await verifyPages(pages);
      present(args, deps, { controller_id: node, ...verdict }, () => {
        if (verdict.ok)
          deps.print(
            `the journal of ${node} is intact: ${verdict.entries} entries in ${verdict.blocks} blocks, the last with hash ${verdict.hash}`,
          );
      });
      if (verdict.ok) return EXIT.fine;
      deps.warn(`the journal of ${node} is broken at block ${verdict.seq}: ${verdict.reason}`);
      return EXIT.failed;
    }),
};

const exportJournal: CliCommand = {
  name: 'export',
  about: 'write the blocks of the journal, one JSON object per line',
  options: [...options, valueOption('--out <file>', 'a new file (default: standard output)')],
  run: (args, deps) =>
    withJournal(args, deps, async (pages, node) => {
      const file = optionalText(args, 'out');
      const lines: string[] = [];
      for await (const { items } of pages) {
        for (const item of items) {
          if (file === undefined) deps.print(JSON.stringify(item));
          else lines.push(`${JSON.stringify(item)}\n`);
        }
      }
      if (file === undefined) return EXIT.fine;
      deps.writeNewFile(file, lines.join(''));
      deps.warn(`${lines.length} blocks of ${node} are in ${file}`);
      return EXIT.fine;
    }),
};

export const journal: readonly CliCommand[] = [verify, exportJournal];
