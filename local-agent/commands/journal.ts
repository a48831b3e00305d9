/** `journal`: verifies or exports the hash-chained journals of all instructions, as the edge keeps them. */

import { Option } from 'commander';
import { PEOPLE_CHAIN } from '../../schema/contracts/audit.ts';
import { pageOf } from '../../schema/contracts/common.ts';
import type { ChainHead, JournalPage } from '../../schema/contracts/journal.ts';
import { ChainHeadSchema, JournalPageSchema } from '../../schema/contracts/journal.ts';
import { NodeSchema } from '../../schema/contracts/nodes.ts';
import { visibleJson } from '../../schema/domain/visible.ts';
import { valueOption } from '../config/flags.ts';
import type { SeenBy, SeenHeads } from '../config/seen-heads.ts';
import { parseSeenHeads, seenHeadsPath, seenHeadsText, withoutSeen, withSeenHead } from '../config/seen-heads.ts';
import type { Config } from '../config/settings.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { verifyAudit } from './audit-verify.ts';
import type { Args, CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, operatorConfig } from './edge-access.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import type { Verdict } from './journal-verify.ts';
import { verifyJournal } from './journal-verify.ts';
import { present, progress } from './output.ts';
import { readChain, readList } from './read-pages.ts';

/** The node's journal, page by page from its first block. */
function readPages(edge: EdgeClient, node: string): AsyncGenerator<JournalPage> {
  const pathOf = (after: number) => `/v1/journal?controller_id=${encodeURIComponent(node)}&after=${after}`;
  return readChain((after) => edge.call({ method: 'GET', path: pathOf(after), schema: JournalPageSchema }));
}

/** The ids of all nodes that the edge knows. */
async function allNodes(edge: EdgeClient): Promise<string[]> {
  const schema = pageOf(NodeSchema.pick({ controller_id: true }));
  const nodes = await readList('nodes', (cursor) => {
    const path = `/v1/controllers?limit=200${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    return edge.call({ method: 'GET', path, schema });
  });
  return nodes.map(({ controller_id }) => controller_id);
}

async function withOperator<T>(
  args: Args,
  deps: CommandDeps,
  use: (edge: EdgeClient, config: Config) => Promise<T>,
): Promise<T> {
  const config = operatorConfig(args, deps);
  const edge = deps.connect(config.controlApiBase, config.operatorToken);
  try {
    return await use(edge, config);
  } finally {
    await edge.close();
  }
}

/** `--expect SEQ:HASH`: a head that somebody wrote down. @throws UsageError */
function expectedHead(args: Args): ChainHead | null {
  const text = optionalText(args, 'expect');
  if (text === undefined) return null;
  const [seq, hash] = text.split(':');
  const head = ChainHeadSchema.safeParse({ seq: Number(seq), hash: hash?.toLowerCase() });
  if (head.success) return head.data;
  throw new UsageError('--expect takes <block>:<hash>, as verify prints them, such as 12:9f86d081…');
}

interface Result {
  node: string;
  verdict: Verdict;
}

function report({ node, verdict }: Result, deps: CommandDeps): void {
  if (verdict.ok === true) {
    const { head, entries } = verdict;
    deps.print(
      `the journal of ${node} is intact: ${entries} entries in ${head.seq} blocks, the last is ${head.seq}:${head.hash}`,
    );
  } else if (verdict.ok === null) deps.warn(`there is no journal of ${node} to verify: ${verdict.reason}`);
  else deps.warn(`the journal of ${node} is ${verdict.reason}`);
}

function reportPeople(verdict: Verdict, deps: CommandDeps): void {
  if (verdict.ok === true) {
    const { seq, hash } = verdict.head;
    deps.print(`the audit of what people did is intact: ${seq} writes, the last is ${seq}:${hash}`);
  } else if (verdict.ok === null) deps.warn(`the audit of what people did is not verified: ${verdict.reason}`);
  else deps.warn(`the audit of what people did is ${verdict.reason}`);
}

const AFTER_RESTORE =
  'If the database was restored on purpose, run it once with --forget-seen: what the edge has now then counts as seen.';

/** What was seen before, by agent and command line; with `--forget-seen` of these journals nothing. */
function recall(args: Args, deps: CommandDeps, config: Config, node: string | undefined): Record<SeenBy, SeenHeads> {
  const read = (by: SeenBy): SeenHeads => {
    const path = seenHeadsPath(config.stateDir, by);
    const heads = parseSeenHeads(deps.readFile(path), path);
    if (args.forgetSeen !== true) return heads;
    const rest = withoutSeen(heads, config.controlApiBase, node);
    deps.writeFile(path, seenHeadsText(rest));
    return rest;
  };
  return { agent: read('agent'), commands: read('commands') };
}

async function verifyAll(args: Args, deps: CommandDeps, edge: EdgeClient, config: Config) {
  const expected = expectedHead(args);
  const named = optionalText(args, 'of') ?? (expected === null ? undefined : config.nodeId);
  const address = config.controlApiBase;
  const seen = recall(args, deps, config, named);
  const seenOf = (node: string) => [seen.agent, seen.commands].flatMap((heads) => heads[address]?.[node] ?? []);
  const seenNodes = [seen.agent, seen.commands].flatMap((heads) => Object.keys(heads[address] ?? {}));
  const nodes = new Set(named === undefined ? [...(await allNodes(edge)), ...seenNodes] : [named]);
  let kept = seen.commands;
  const results: Result[] = [];
  nodes.delete(PEOPLE_CHAIN);
  for (const node of nodes) {
    const heads = expected === null ? seenOf(node) : [...seenOf(node), expected];
    progress(deps, `checking the journal of ${node}`);
    const verdict = await verifyJournal({ edge, node, seen: heads, readPages: () => readPages(edge, node) });
    if (verdict.ok === true) kept = withSeenHead(kept, address, node, verdict.head);
    results.push({ node, verdict });
  }
  const people = named === undefined ? await verifyAudit(edge, seenOf(PEOPLE_CHAIN)) : null;
  if (people?.ok === true) kept = withSeenHead(kept, address, PEOPLE_CHAIN, people.head);
  if (kept !== seen.commands) deps.writeFile(seenHeadsPath(config.stateDir, 'commands'), seenHeadsText(kept));
  return { results, named, people };
}

const ofOption = (about: string) => valueOption('--of <node>', about);

const verify: CliCommand = {
  name: 'verify',
  about:
    'check that no entry of the journals and no write of a person was altered or removed, and that the instructions are as they say',
  examples: ['journal verify', 'journal verify --of mini --expect 12:HASH'],
  options: [
    ...edgeOptions,
    ofOption('only the journal of that node (default: of all nodes)'),
    valueOption('--expect <block:hash>', 'a block that the journal must have, as verify printed it earlier'),
    new Option('--forget-seen', 'accept journals that are shorter than they were, after a restored database'),
  ],
  run: (args, deps) =>
    withOperator(args, deps, async (edge, config) => {
      const { results, named, people } = await verifyAll(args, deps, edge, config);
      present(
        args,
        deps,
        { journals: results.map(({ node, verdict }) => ({ controller_id: node, ...verdict })), people },
        () => {
          for (const result of results) report(result, deps);
          if (people !== null) reportPeople(people, deps);
        },
      );
      const broken = results.filter(({ verdict }) => verdict.ok === false);
      const verdicts = [...results.map(({ verdict }) => verdict), ...(people === null ? [] : [people])];
      if (verdicts.some((verdict) => verdict.ok === false && /seen before/.test(verdict.reason)))
        deps.warn(AFTER_RESTORE);
      const verified = results.filter(({ verdict }) => verdict.ok === true);
      if (verified.length === 0 && broken.length === 0) {
        deps.warn(
          `nothing was verified: ${named === undefined ? 'no node has a journal yet' : `is ${named} a node of this edge?`}`,
        );
      }
      const isPeopleFine = people === null || people.ok === true;
      return broken.length > 0 || verified.length === 0 || !isPeopleFine ? EXIT.failed : EXIT.fine;
    }),
};

const exportJournal: CliCommand = {
  name: 'export',
  about: 'write the blocks of the journal, one JSON object per line',
  examples: ['journal export --of mini --out journal.jsonl'],
  options: [
    ...edgeOptions,
    ofOption('the node whose journal it is (default: this node)'),
    valueOption('--out <file>', 'a new file (default: standard output)'),
  ],
  run: (args, deps) =>
    withOperator(args, deps, async (edge, config) => {
      const node = optionalText(args, 'of') ?? config.nodeId;
      const file = optionalText(args, 'out');
      const lines: string[] = [];
      for await (const { items } of readPages(edge, node)) {
        for (const item of items) {
          if (file === undefined) deps.print(visibleJson(item));
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
