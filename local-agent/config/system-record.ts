/**
 * `state/system.json` of a root: which edge and agent run there, under which node id. `npm start` and `conductor start`
 * write it, so that the root is enough for every command. A record whose process has ended keeps the node id; its
 * addresses are no longer trusted, as another program may listen there.
 */
import { z } from 'zod';
import { ControllerIdSchema } from '../../schema/contracts/common.ts';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import { readOwnFile, replacePrivateFile } from '../host/own-files.ts';
import type { KnownProcess } from '../host/process-start.ts';
import { livingProcess, stillRuns } from '../host/process-start.ts';
import { systemRecordPathOf } from './root-files.ts';
import { httpUrl } from './values.ts';

export const SystemRecordSchema = z.object({
  edge_url: httpUrl,
  /** The agent's local API; null when no agent runs or its local API is off. */
  agent_url: httpUrl.nullable(),
  node_id: ControllerIdSchema,
  /** The process that ends edge and agent with itself; null after it has stopped. */
  pid: z.number().int().positive().nullable(),
  /** When that process began, which distinguishes it from a later one with the same id; a record of an earlier version has none. */
  began: z.string().nullable().default(null),
  version: z.string(),
});
export type SystemRecord = z.infer<typeof SystemRecordSchema>;

type ReadFile = (path: string) => string | null;

/** The record of a root, null when it has none. @throws Error when the file is damaged */
export function readSystemRecord(root: string, readFile: ReadFile = readOwnFile): SystemRecord | null {
  const path = systemRecordPathOf(root);
  const text = readFile(path);
  if (text === null) return null;
  try {
    const checked = checkValue(SystemRecordSchema, JSON.parse(text));
    if (checked.success) return checked.data;
    throw new Error(firstIssueText(checked.error, 'the file'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${path} is damaged, so the running system is unknown: ${reason}. Remove it and start the system again`,
    );
  }
}

/** This process, as the record names it. */
export function ownProcess(): Pick<SystemRecord, 'pid' | 'began'> {
  return { pid: process.pid, began: livingProcess(process.pid)?.began ?? null };
}

/** What the record names after a stop. */
export const NO_PROCESS: Pick<SystemRecord, 'pid' | 'began'> = { pid: null, began: null };

export type IsAlive = (process: KnownProcess) => boolean;

export function isRunning({ pid, began }: SystemRecord, isAlive: IsAlive = stillRuns): boolean {
  return pid !== null && isAlive({ pid, began });
}

export function writeSystemRecord(root: string, record: SystemRecord): void {
  replacePrivateFile(systemRecordPathOf(root), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Records an agent that has started on its own. Beside a running edge of the same root it joins that edge's record;
 * returns what to do when the agent stops.
 */
export function recordAgent(root: string, agent: SystemRecord): () => void {
  const before = readSystemRecord(root);
  const joins = before !== null && isRunning(before) && before.edge_url === agent.edge_url;
  if (joins && before.agent_url === agent.agent_url) return () => undefined;
  const written = joins ? { ...agent, pid: before.pid, began: before.began } : agent;
  writeSystemRecord(root, written);
  return () => writeSystemRecord(root, joins ? { ...written, agent_url: null } : { ...written, ...NO_PROCESS });
}
