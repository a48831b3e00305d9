/**
 * `journal verify`: the chain of each node as the edge keeps it, against itself, against the heads that were seen before,
 * and against the rows of its instructions. What is not there proves nothing, so a missing journal is a failure.
 */

import { pageOf } from '../../schema/contracts/common.ts';
import { ArtifactSchema } from '../../schema/contracts/events.ts';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import { InstructionSchema, MessageDetailSchema } from '../../schema/contracts/instructions.ts';
import type { ChainHead, JournalPage } from '../../schema/contracts/journal.ts';
import type { ForgottenBlocks } from '../../schema/domain/forgotten-blocks.ts';
import { alteredForgotten, noteForgotten } from '../../schema/domain/forgotten-blocks.ts';
import { EMPTY_CHAIN, verifyChain, verifySeen } from '../../schema/domain/journal-chain.ts';
import type { ReadArtifact, Recorded } from '../../schema/domain/journal-rows.ts';
import { callFaults, record, rowFaults } from '../../schema/domain/journal-rows.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import { sha256Hex } from '../lib/hash.ts';
import { EndlessPagesError } from './read-pages.ts';

export type Verdict =
  | { ok: true; head: ChainHead; entries: number }
  | { ok: false; reason: string }
  /** The edge has no block of this node, and none was seen before. */
  | { ok: null; reason: string };

const InstructionsSchema = pageOf(InstructionSchema);
/** Faults that are listed of one journal. */
const MAX_FAULTS = 20;

/** Reads the journal of one node, page by page from its first block. */
export type ReadPages = () => AsyncIterable<JournalPage>;

export interface JournalUnderTest {
  edge: EdgeClient;
  readPages: ReadPages;
  /** Heads of this journal that were seen before. */
  seen: readonly ChainHead[];
  node: string;
}

export async function verifyJournal(journal: JournalUnderTest): Promise<Verdict> {
  try {
    return await verifyRows(journal);
  } catch (error) {
    if (error instanceof EndlessPagesError) return { ok: false, reason: error.message };
    throw error;
  }
}

async function verifyRows(journal: JournalUnderTest): Promise<Verdict> {
  const known = new Map<string, Recorded>();
  const chain = await verifyPages(journal, known);
  if (chain.ok !== true) return chain;
  if (chain.head.seq === 0) return { ok: null, reason: 'the edge has no block of it' };
  const doubtful = await faultyMessages(journal, messagesOf(known), known);
  if (doubtful.size === 0) return chain;
  // An instruction may have changed since its journal was read: read the journal again, and compare once more.
  const again = await verifyPages(journal, known);
  if (again.ok !== true) return again;
  const faults = [...(await faultyMessages(journal, doubtful.keys(), known)).values()].flat();
  if (faults.length === 0) return again;
  return { ok: false, reason: `not what is stored: ${faults.slice(0, MAX_FAULTS).join('; ')}` };
}

async function verifyPages({ readPages, seen }: JournalUnderTest, known: Map<string, Recorded>): Promise<Verdict> {
  let head = EMPTY_CHAIN;
  let entries = 0;
  const forgotten: ForgottenBlocks = { left: new Map(), bound: new Map() };
  for await (const page of readPages()) {
    const verdict = await verifyChain(sha256Hex, head, page);
    const checked = verdict.ok ? verifySeen(page, verdict.head, seen) : verdict;
    if (!checked.ok) return { ok: false, reason: `broken at block ${checked.seq}: ${checked.reason}` };
    head = checked.head;
    for (const block of page.items) {
      record(known, block);
      await noteForgotten(sha256Hex, forgotten, block);
      entries += block.entries.length;
    }
  }
  const altered = alteredForgotten(forgotten);
  if (altered !== null) {
    return { ok: false, reason: `broken at block ${altered}: what was left of it was altered after it was forgotten` };
  }
  return { ok: true, head, entries };
}

function messagesOf(known: ReadonlyMap<string, Recorded>): Set<string> {
  return new Set(Array.from(known.values(), (one) => one.message_id));
}

/** The messages whose rows differ from the journal, with how they differ. Stops after enough of them. */
async function faultyMessages(
  journal: JournalUnderTest,
  messageIds: Iterable<string>,
  known: ReadonlyMap<string, Recorded>,
): Promise<Map<string, string[]>> {
  const faulty = new Map<string, string[]>();
  for (const messageId of messageIds) {
    const faults = await faultsOf(journal, messageId, known);
    if (faults.length > 0) faulty.set(messageId, faults);
    if (faulty.size >= MAX_FAULTS) break;
  }
  return faulty;
}

async function faultsOf(
  { edge, node }: JournalUnderTest,
  messageId: string,
  known: ReadonlyMap<string, Recorded>,
): Promise<string[]> {
  const ofMessage = Array.from(known).filter(([, one]) => one.message_id === messageId);
  if (ofMessage.some(([, one]) => one.via_mcp)) return faultsOfCall(edge, messageId, known, ofMessage);
  try {
    const path = `/v1/messages/${encodeURIComponent(messageId)}`;
    const message = await edge.call({ method: 'GET', path, schema: MessageDetailSchema });
    // After a resubmission another node has it, and its journal has the rest of the story.
    const mine = message.instructions.filter((row) => row.controller_id === node);
    const missing = missingOf(ofMessage, message.instructions);
    return [...missing, ...(await rowFaults(sha256Hex, { ...message, instructions: mine }, known, artifactsOf(edge)))];
  } catch (error) {
    if (error instanceof EdgeError && error.status === 404) return [`the message ${messageId} is not stored`];
    throw error;
  }
}

/** A call through MCP has one instruction and no message. */
async function faultsOfCall(
  edge: EdgeClient,
  message_id: string,
  known: ReadonlyMap<string, Recorded>,
  ofMessage: readonly (readonly [string, Recorded])[],
): Promise<string[]> {
  const path = `/v1/instructions?message_id=${encodeURIComponent(message_id)}`;
  const { items: rows } = await edge.call({ method: 'GET', path, schema: InstructionsSchema });
  return [
    ...missingOf(ofMessage, rows),
    ...(await callFaults(sha256Hex, { message_id, rows }, known, artifactsOf(edge))),
  ];
}

/** What the journal has of a message and the edge does not store. */
function missingOf(
  ofMessage: readonly (readonly [string, Recorded])[],
  rows: readonly Pick<Instruction, 'instruction_id'>[],
): string[] {
  return ofMessage
    .filter(([id]) => !rows.some((row) => row.instruction_id === id))
    .map(([id]) => `${id} is in the journal, but is not stored`);
}

/** Reads the content of an artifact; null when the edge has none. */
function artifactsOf(edge: EdgeClient): ReadArtifact {
  return async (artifactId) => {
    try {
      const path = `/v1/artifacts/${encodeURIComponent(artifactId)}`;
      return (await edge.call({ method: 'GET', path, schema: ArtifactSchema })).content;
    } catch (error) {
      if (error instanceof EdgeError && error.status === 404) return null;
      throw error;
    }
  };
}
