import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import type { PeopleWriteLink } from '../../../../schema/contracts/audit.ts';
import type { ChainHead, JournalBlock, JournalEntry } from '../../../../schema/contracts/journal.ts';
import { peopleWriteHash } from '../../../../schema/domain/audit-chain.ts';
import { dedupeText } from '../../../../schema/domain/ingest.ts';
import { blockHash, EMPTY_CHAIN } from '../../../../schema/domain/journal-chain.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const OTHER_HASH = 'a'.repeat(64);
const PAGE = 2;
const NODE = 'node-1';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const ROW = {
  instruction_id: 'ins_1',
  message_id: 'msg_1',
  local_conversation_id: 'lc_1',
  controller_id: NODE,
  block_index: 0,
  index: 0,
  target: 'conductor',
  tool: 'exec',
  params: { argv: ['true'] },
  status: 'succeeded',
  policy: { decision: 'allow', rule: 'x' },
  gate: null,
  claim_expires_at: null,
  approval_expires_at: null,
  started_at: 1,
  finished_at: 2,
  exit_code: 0,
  error_code: null,
  duration_ms: 1,
  output_summary: 'ok',
  artifact_id: null as string | null,
  truncated: false,
  created_at: 1,
  updated_at: 2,
};
const MESSAGE = {
  message_id: 'msg_1',
  ingest_seq: 1,
  local_conversation_id: 'lc_1',
  platform: 'chatgpt',
  remote_conversation_id: 'c-1',
  assistant_message_id: 'a-1',
  controller_id: NODE,
  client_id: 'firefox-1',
  role: 'assistant',
  raw_text: 'text',
  capture: { source: 'network', other: 'agrees' },
  block_errors: [],
  ingest_status: 'executed',
  reply_outcome: null,
  reply_reason: null,
  observed_at: 1,
  received_at: 1,
};
const dedupe_key = sha256(dedupeText({ ...MESSAGE, identity: 'id:a-1' }, ROW));

const RESULT = { status: 'succeeded', exit_code: 0, error_code: null, output_sha256: sha256('ok') };

async function chain(length: number, actor = 'x'): Promise<JournalBlock[]> {
  const blocks: JournalBlock[] = [];
  const entry = (kind: string, detail: Record<string, unknown>): JournalEntry => ({
    instruction_id: 'ins_1',
    kind,
    controller_id: null,
    detail,
  });
  for (let seq = 1; seq <= length; seq += 1) {
    const first = [
      entry('observed', { dedupe_key }),
      entry('judged', ROW.policy),
      entry('claimed', { status: 'claimed' }),
    ];
    const entries = seq === 1 ? first : [entry('output', { actor }), entry('ended', RESULT)];
    const content = { chain: NODE, seq, at: seq, message_id: 'msg_1', written_by: null, entries };
    const prev_hash = (blocks.at(-1) ?? EMPTY_CHAIN).hash;
    blocks.push({ ...content, prev_hash, hash: await blockHash(sha256, prev_hash, content) });
  }
  return blocks;
}

const headsOf = (blocks: readonly JournalBlock[]): ChainHead[] => blocks.map(({ seq, hash }) => ({ seq, hash }));
const headAt = (blocks: readonly JournalBlock[], seq: number) => headsOf(blocks)[seq - 1];

/** The chain of what people did. */
async function writes(length: number, actor = 'x'): Promise<PeopleWriteLink[]> {
  const links: PeopleWriteLink[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const write = {
      seq,
      at: seq,
      actor,
      role: 'ops_admin',
      action: 'POST /x',
      subject_id: null,
      request_id: `r${seq}`,
    };
    const prev_hash = links.at(-1)?.hash ?? EMPTY_CHAIN.hash;
    links.push({ ...write, prev_hash, hash: await peopleWriteHash(sha256, prev_hash, write) });
  }
  return links;
}
const PEOPLE = await writes(3);
const PEOPLE_HEAD = { 'audit:people': { seq: 3, hash: PEOPLE[2]?.hash } };

interface Stored {
  /** What people did, and the head that the edge keeps of it; an error for an edge that refuses to say. */
  people?: readonly PeopleWriteLink[] | EdgeError;
  peopleHeads?: readonly ChainHead[];
  heads?: ChainHead[];
  /** What the edge stores beside the journal. */
  message?: Record<string, unknown> | null;
  nodes?: string[];
  artifact?: string;
  files?: Record<string, unknown>;
}

function peoplePage({ people = PEOPLE, peopleHeads }: Stored, after: number) {
  if (people instanceof EdgeError) throw people;
  const next_after = after + PAGE < people.length ? after + PAGE : null;
  const heads = (peopleHeads ?? people.slice(-1)).map(({ seq, hash }) => ({ seq, hash }));
  const reached = ({ seq }: ChainHead) => seq > after && (next_after === null || seq <= next_after);
  return { items: people.slice(after, after + PAGE), next_after, heads: heads.filter(reached) };
}

/** An edge that serves the journal of node-1 in pages of two blocks; every other node has none. */
function journalWorld(blocks: readonly JournalBlock[], stored: Stored = {}) {
  const { heads = headsOf(blocks.slice(-1)), nodes = [NODE], files = {} } = stored;
  const { artifact, message = { ...MESSAGE, instructions: [ROW] } } = stored;
  const written = new Map(Object.entries(files).map(([path, value]) => [path, JSON.stringify(value)]));
  const world = commandWorld(
    ({ path }) => {
      if (path.startsWith('/v1/controllers')) {
        return { items: nodes.map((controller_id) => ({ controller_id })), next_cursor: null };
      }
      if (path.startsWith('/v1/messages/')) {
        if (message === null) throw new EdgeError('status', 404, 'message_not_found', 'there is none');
        return message;
      }
      if (path.startsWith('/v1/artifacts/')) {
        if (artifact === undefined) throw new EdgeError('status', 404, 'artifact_not_found', 'there is none');
        return {
          artifact_id: 'art_1',
          instruction_id: 'ins_1',
          kind: 'instruction_output',
          content: artifact,
          created_at: 2,
        };
      }
      const query = new URL(path, 'http://x').searchParams;
      if (path.startsWith('/v1/audit/people')) return peoplePage(stored, Number(query.get('after')));
      const own = query.get('controller_id') === NODE ? blocks : [];
      const after = Number(query.get('after'));
      const next_after = after + PAGE < own.length ? after + PAGE : null;
      const reached = ({ seq }: ChainHead) => seq > after && (next_after === null || seq <= next_after);
      const kept = query.get('controller_id') === NODE ? heads : [];
      return { items: own.slice(after, after + PAGE), next_after, heads: kept.filter(reached) };
    },
    {
      readFile: (path) => written.get(path) ?? null,
      writeFile: (path, text) => void written.set(path, text),
    },
  );
  return { ...world, written };
}
const verify = (world: ReturnType<typeof journalWorld>, ...more: string[]) =>
  runCli(['journal', 'verify', ...more], world.deps);

const SEEN_BY_COMMANDS = '/srv/baa/state/journal-heads.json';
const SEEN_BY_AGENT = '/srv/baa/state/journal-head.json';
const seenFile = (head: ChainHead | undefined, path = SEEN_BY_COMMANDS) => ({
  [path]: { 'http://edge': { [NODE]: head } },
});

describe('a list that the edge never ends', () => {
  /** The edge of `journalWorld`, with `change` over its response to a path that begins with `of`. */
  async function endless(of: string, change: (page: object, after: number) => object) {
    const world = journalWorld(await chain(5));
    const { connect } = world.deps;
    let reads = 0;
    world.deps.connect = (...args) => {
      const edge = connect(...args);
      const call: typeof edge.call = async (request) => {
        const page = await edge.call(request);
        if (!request.path.startsWith(of)) return page;
        reads += 1;
        if (reads > 20) throw new Error('the command reads without an end');
        const after = Number(new URL(request.path, 'http://x').searchParams.get('after'));
        return request.schema.parse(change(page as object, after));
      };
      return { ...edge, call, close: () => edge.close() };
    };
    return world;
  }

  it.each<[what: string, of: string, change: (page: object, after: number) => object]>([
    ['the next page is the same one', '/v1/journal', (page, after) => ({ ...page, next_after: after })],
    ['the next page is one before', '/v1/journal', (page) => ({ ...page, next_after: 0 })],
    ['pages are empty', '/v1/journal', (page, after) => ({ ...page, items: [], heads: [], next_after: after + 1 })],
    ['the next page of people is the same one', '/v1/audit/people', (page, after) => ({ ...page, next_after: after })],
  ])('is no intact chain, and says why: %s', async (_what, of, change) => {
    const world = await endless(of, change);
    expect(await verify(world)).toBe(1);
    expect(world.stderr()).toMatch(/is not read to its end: the page behind number \d+ .* leads no further/);
    expect(world.stderr()).toContain('check what is deployed there');
  });

  it('ends the export too, and no file is left', async () => {
    const world = await endless('/v1/journal', (page, after) => ({ ...page, next_after: after }));
    expect(await runCli(['journal', 'export', '--out', '/tmp/j'], world.deps)).toBe(1);
    expect(world.stderr()).toContain('not read to its end');
    expect(world.written.has('/tmp/j')).toBe(false);
  });

  it('of nodes is not read in a circle', async () => {
    const world = await endless('/v1/controllers', (page) => ({ ...page, next_cursor: 'again' }));
    expect(await verify(world)).toBe(1);
    expect(world.stderr()).toContain('the list of nodes cannot be read to its end');
  });
});

describe('journal verify', () => {
  it('accepts an intact chain over all pages', async () => {
    const world = journalWorld(await chain(5));
    expect(await verify(world)).toBe(0);
    expect(world.stdout()).toContain('the journal of node-1 is intact: 11 entries in 5 blocks');
    expect(world.calls.filter(({ path }) => path.startsWith('/v1/journal'))).toHaveLength(3);
  });

  it('names the block at which the chain was altered, cut, reordered or shortened', async () => {
    const whole = await chain(5);
    const cases: [JournalBlock[], number][] = [
      [whole.map((one) => (one.seq === 3 ? { ...one, entries: one.entries.slice(1) } : one)), 3],
      [whole.map((one) => (one.seq === 2 ? { ...one, prev_hash: OTHER_HASH } : one)), 2],
      [whole.filter(({ seq }) => seq !== 2), 3],
      [[...whole.slice(0, 3), ...whole.slice(4), ...whole.slice(3, 4)], 5],
      [whole.slice(0, 4), 5],
    ];
    for (const [blocks, at] of cases) {
      const world = journalWorld(blocks, { heads: headsOf(whole.slice(-1)) });
      expect(await verify(world)).toBe(1);
      expect(world.stderr()).toContain(`broken at block ${at}`);
    }
  });

  it('detects that the kept head of the chain was lost, set back or altered', async () => {
    const whole = await chain(3);
    for (const heads of [[], headsOf(whole.slice(1, 2)), [{ seq: 3, hash: OTHER_HASH }]]) {
      const world = journalWorld(whole, { heads });
      expect(await verify(world)).toBe(1);
      expect(world.stderr()).toContain('broken at block 3');
    }
  });

  it.each([
    ['the command line', SEEN_BY_COMMANDS],
    ['the agent', SEEN_BY_AGENT],
  ])(
    'detects a cut tail with a moved head, and a chain that was computed again, by the head that %s has seen',
    async (_who, path) => {
      const whole = await chain(5);
      const files = seenFile(headAt(whole, 5), path);
      const cut = journalWorld(whole.slice(0, 3), { files });
      expect(await verify(cut)).toBe(1);
      expect(cut.stderr()).toContain('the journal ends before block 5, which was seen before');
      const forged = journalWorld(await chain(6, 'forger'), { files });
      expect(await verify(forged)).toBe(1);
      expect(forged.stderr()).toContain('broken at block 5: it is another block than the one seen before');
      const none = journalWorld([], { files });
      expect(await verify(none)).toBe(1);
      expect(await verify(journalWorld(await chain(7), { files }))).toBe(0);
    },
  );

  it('keeps the head that it has verified, and no earlier one', async () => {
    const world = journalWorld(await chain(4), { files: seenFile(headAt(await chain(4), 2)) });
    expect(await verify(world)).toBe(0);
    expect(JSON.parse(world.written.get(SEEN_BY_COMMANDS) ?? '')).toEqual({
      'http://edge': { [NODE]: headAt(await chain(4), 4), ...PEOPLE_HEAD },
    });
    const broken = journalWorld((await chain(4)).slice(0, 3), { files: seenFile(headAt(await chain(4), 4)) });
    expect(await verify(broken)).toBe(1);
    expect(JSON.parse(broken.written.get(SEEN_BY_COMMANDS) ?? '')).toEqual({
      'http://edge': { [NODE]: headAt(await chain(4), 4), ...PEOPLE_HEAD },
    });
  });

  it('--forget-seen accepts a shorter journal once, and keeps its head', async () => {
    const whole = await chain(5);
    const files = { ...seenFile(headAt(whole, 5)), ...seenFile(headAt(whole, 4), SEEN_BY_AGENT) };
    const world = journalWorld(whole.slice(0, 2), { files });
    expect(await verify(world)).toBe(1);
    expect(world.stderr()).toContain('--forget-seen');
    expect(await verify(world, '--forget-seen')).toBe(0);
    expect(await verify(world)).toBe(0);
  });

  it('a damaged file of seen heads is an error, not a journal without history', async () => {
    const world = journalWorld(await chain(2), { files: { [SEEN_BY_COMMANDS]: 'x' } });
    expect(await verify(world)).not.toBe(0);
    expect(world.stderr()).toContain('journal-heads.json cannot be read');
  });

  it('--expect refuses a journal without exactly that block', async () => {
    const whole = await chain(3);
    const expected = (head: ChainHead | undefined) => `${head?.seq}:${head?.hash}`;
    expect(await verify(journalWorld(whole), '--of', NODE, '--expect', expected(headAt(whole, 2)))).toBe(0);
    expect(await verify(journalWorld(whole), '--of', NODE, '--expect', `2:${OTHER_HASH}`)).toBe(1);
    expect(await verify(journalWorld(whole), '--of', NODE, '--expect', `9:${OTHER_HASH}`)).toBe(1);
    const unclear = journalWorld(whole);
    expect(await verify(unclear, '--expect', 'soon')).toBe(2);
    expect(unclear.stderr()).toContain('--expect takes <block>:<hash>');
  });

  it.each([
    ['another status', { ...ROW, status: 'failed' }, 'ins_1 is stored as failed; the journal says succeeded'],
    ['another call', { ...ROW, params: { argv: ['rm'] } }, 'ins_1: its call, or the message it is in, is not the one'],
    ['another exit code', { ...ROW, exit_code: 1 }, 'ins_1 is stored with exit_code 1; the journal says 0'],
    [
      'another error code',
      { ...ROW, error_code: 'timeout' },
      'ins_1 is stored with error_code timeout; the journal says null',
    ],
    [
      'another verdict',
      { ...ROW, policy: { decision: 'ask', rule: 'x' } },
      'ins_1 is stored as judged ask by x; the journal says allow by x',
    ],
    ['another output', { ...ROW, output_summary: 'no' }, 'ins_1: its stored output is not the one'],
    ['an output that is gone', { ...ROW, artifact_id: 'art_1' }, 'ins_1: its output art_1 is not stored'],
    ['another tool', { ...ROW, tool: 'describe' }, 'ins_1: its call'],
    [
      'an id that the journal does not have',
      { ...ROW, instruction_id: 'ins_9' },
      'ins_9 is stored, but the journal does not have it',
    ],
  ])('detects a row of an instruction with %s', async (_what, row, words) => {
    const world = journalWorld(await chain(3), { message: { ...MESSAGE, instructions: [row] } });
    expect(await verify(world)).toBe(1);
    expect(world.stderr()).toContain(words);
  });

  it('compares an output that is an artifact', async () => {
    const message = { ...MESSAGE, instructions: [{ ...ROW, output_summary: 'o', artifact_id: 'art_1' }] };
    expect(await verify(journalWorld(await chain(3), { message, artifact: 'ok' }))).toBe(0);
    const forged = journalWorld(await chain(3), { message, artifact: 'forged' });
    expect(await verify(forged)).toBe(1);
    expect(forged.stderr()).toContain('ins_1: its stored output is not the one');
  });

  it('detects that a message or an instruction of the journal is not stored any more', async () => {
    const gone = journalWorld(await chain(3), { message: null });
    expect([await verify(gone), gone.stderr()]).toEqual([
      1,
      expect.stringContaining('the message msg_1 is not stored'),
    ]);
    const emptied = journalWorld(await chain(3), { message: { ...MESSAGE, instructions: [] } });
    expect([await verify(emptied), emptied.stderr()]).toEqual([1, expect.stringContaining('ins_1 is in the journal')]);
  });

  it('verifies the journals of all nodes, and says which have none', async () => {
    const world = journalWorld(await chain(2), { nodes: ['idle', NODE] });
    expect(await verify(world)).toBe(0);
    expect(world.stdout()).toContain('the journal of node-1 is intact');
    expect(world.stderr()).toContain('there is no journal of idle to verify');
  });

  it('includes a node that was seen before and that the edge has no row of any more', async () => {
    const whole = await chain(2);
    const world = journalWorld([], { nodes: [], files: seenFile(headAt(whole, 2)) });
    expect(await verify(world)).toBe(1);
    expect(world.stderr()).toContain('the journal of node-1 is broken at block 1');
  });

  it('fails when nothing was verified: no node, no journal, or a node that does not exist', async () => {
    const empty = journalWorld([], { nodes: [] });
    expect(await verify(empty)).toBe(1);
    expect(empty.stderr()).toContain('nothing was verified: no node has a journal yet');
    expect(await verify(journalWorld([], { nodes: ['idle'] }))).toBe(1);
    const unknown = journalWorld(await chain(2));
    expect(await verify(unknown, '--of', 'missing')).toBe(1);
    expect(unknown.stderr()).toContain('nothing was verified: is missing a node of this edge?');
  });
});

describe('journal export', () => {
  it('writes one block per line, to a new file with --out', async () => {
    const whole = await chain(3);
    const world = journalWorld(whole);
    expect(await runCli(['journal', 'export', '--of', NODE], world.deps)).toBe(0);
    expect(world.out.map((line) => JSON.parse(line))).toEqual(whole);
    const written: string[] = [];
    const toFile = journalWorld(whole);
    const deps = { ...toFile.deps, writeNewFile: (path: string, text: string) => written.push(path, text) };
    await runCli(['journal', 'export', '--of', NODE, '--out', '/x/j.jsonl'], deps);
    expect(written).toEqual(['/x/j.jsonl', whole.map((one) => `${JSON.stringify(one)}\n`).join('')]);
  });
});

describe('journal verify, about what people did', () => {
  it('accepts an intact chain over all pages, and keeps its head', async () => {
    const world = journalWorld(await chain(3));
    expect(await verify(world)).toBe(0);
    expect(world.stdout()).toContain('the audit of what people did is intact: 3 writes');
    expect(JSON.parse(world.written.get(SEEN_BY_COMMANDS) ?? '')).toMatchObject({ 'http://edge': PEOPLE_HEAD });
  });

  it.each([
    ['altered', PEOPLE.map((one) => (one.seq === 2 ? { ...one, actor: 'somebody' } : one)), 'broken at write 2'],
    ['removed', PEOPLE.filter(({ seq }) => seq !== 2), 'broken at write 3'],
    ['cut', PEOPLE.slice(0, 2), 'broken at write 3'],
  ])('refuses one that was %s', async (_what, people, reason) => {
    const world = journalWorld(await chain(3), { people, peopleHeads: PEOPLE.slice(-1) });
    expect(await verify(world)).toBe(1);
    expect(world.stderr()).toContain(`the audit of what people did is ${reason}`);
  });

  it('refuses one that was computed again or cut together with its head, by the head that was seen before', async () => {
    const files = { [SEEN_BY_COMMANDS]: { 'http://edge': PEOPLE_HEAD } };
    const forged = journalWorld(await chain(3), { people: await writes(4, 'forger'), files });
    expect(await verify(forged)).toBe(1);
    expect(forged.stderr()).toContain('it is another block than the one seen before');
    const cut = journalWorld(await chain(3), { people: PEOPLE.slice(0, 2), files });
    expect(await verify(cut)).toBe(1);
    expect(cut.stderr()).toContain('which was seen before');
    expect(cut.stderr()).toContain('--forget-seen');
  });

  it.each([
    ['there is none', [], 'the edge has none'],
    ['the token may not read it', new EdgeError('status', 403, 'forbidden', 'no'), 'the role ops_admin'],
    ['the edge does not chain it', new EdgeError('status', 404, 'not_found', 'no'), 'update the edge'],
  ])('is no success when %s', async (_why, people, reason) => {
    const world = journalWorld(await chain(3), { people });
    expect(await verify(world)).toBe(1);
    expect(world.stderr()).toContain(reason);
    // The journal of one node alone does not need it.
    expect(await verify(world, '--of', NODE)).toBe(0);
  });
});
