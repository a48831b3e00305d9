import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../local-agent/lib/hash.ts';
import type { JournalEntry, JournalEvent } from '../../../schema/contracts/journal.ts';
import { GENESIS_HASH } from '../../../schema/contracts/journal.ts';
import { chainHash, EMPTY_CHAIN, verifyChain } from '../../../schema/domain/journal-chain.ts';

const OTHER_HASH = 'f'.repeat(64);

function event(with_: Partial<JournalEvent> = {}): JournalEvent {
  return {
    chain: 'node-1',
    seq: 1,
    at: 1_000,
    instruction_id: 'ins_1',
    kind: 'started',
    controller_id: 'node-1',
    detail: { rule: 'default' },
    ...with_,
  };
}

async function chainOf(...events: JournalEvent[]): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (const one of events) {
    const prev_hash = entries.at(-1)?.hash ?? GENESIS_HASH;
    entries.push({ ...one, prev_hash, hash: await chainHash(sha256Hex, prev_hash, one) });
  }
  return entries;
}

describe('the hash of a journal entry', () => {
  it.each([
    { chain: 'node-2' },
    { seq: 2 },
    { at: 1_001 },
    { instruction_id: 'ins_2' },
    { kind: 'ended' },
    { controller_id: 'node-2' },
    { controller_id: null },
    { detail: {} },
  ] as Partial<JournalEvent>[])('another value of a field gives another hash: %o', async (change) => {
    const before = await chainHash(sha256Hex, GENESIS_HASH, event());
    expect(await chainHash(sha256Hex, GENESIS_HASH, event(change))).not.toBe(before);
  });

  it('another previous hash gives another hash', async () => {
    const before = await chainHash(sha256Hex, GENESIS_HASH, event());
    expect(await chainHash(sha256Hex, OTHER_HASH, event())).not.toBe(before);
  });

  it('the order of the fields does not matter', async () => {
    const reversed = Object.fromEntries(Object.entries(event()).reverse()) as JournalEvent;
    expect(await chainHash(sha256Hex, GENESIS_HASH, reversed)).toBe(await chainHash(sha256Hex, GENESIS_HASH, event()));
  });
});

describe('the verification of a journal', () => {
  const events = [event(), event({ seq: 2, kind: 'ended' }), event({ seq: 3, kind: 'delivered' })];

  it('an unaltered chain is valid, whole and in pages', async () => {
    const entries = await chainOf(...events);
    const last = { seq: 3, hash: entries[2]?.hash };
    expect(await verifyChain(sha256Hex, EMPTY_CHAIN, entries)).toEqual({ ok: true, head: last });
    const first = await verifyChain(sha256Hex, EMPTY_CHAIN, entries.slice(0, 1));
    expect(first.ok && (await verifyChain(sha256Hex, first.head, entries.slice(1)))).toEqual({ ok: true, head: last });
  });

  it('an altered entry is found at its place', async () => {
    const entries = await chainOf(...events);
    const altered = entries.map((entry) => (entry.seq === 2 ? { ...entry, controller_id: 'node-2' } : entry));
    expect(await verifyChain(sha256Hex, EMPTY_CHAIN, altered)).toMatchObject({ ok: false, seq: 2 });
  });

  it('an entry whose previous hash alone is altered is found', async () => {
    const entries = await chainOf(...events);
    const altered = entries.map((entry) => (entry.seq === 2 ? { ...entry, prev_hash: OTHER_HASH } : entry));
    expect(await verifyChain(sha256Hex, EMPTY_CHAIN, altered)).toMatchObject({ ok: false, seq: 2 });
  });

  it('a missing entry is found', async () => {
    const [first, , third] = await chainOf(...events);
    expect(await verifyChain(sha256Hex, EMPTY_CHAIN, first && third ? [first, third] : [])).toMatchObject({
      ok: false,
      seq: 3,
    });
  });

  it('an entry that follows another entry than the last one is found', async () => {
    const entries = await chainOf(...events);
    const prev_hash = OTHER_HASH;
    const forged = { ...event({ seq: 2 }), prev_hash, hash: await chainHash(sha256Hex, prev_hash, event({ seq: 2 })) };
    expect(await verifyChain(sha256Hex, EMPTY_CHAIN, [...entries.slice(0, 1), forged])).toMatchObject({
      ok: false,
      seq: 2,
    });
  });
});
