import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestNode } from './cluster.ts';

/** One question to an agent's own SQLite file, which readers may look into while the agent runs. */
export function askAgentFile(node: TestNode, sql: string, ...values: string[]): Record<string, unknown>[] {
  const db = new DatabaseSync(join(node.root, 'state', 'agent.sqlite'), { readOnly: true });
  try {
    return db.prepare(sql).all(...values);
  } finally {
    db.close();
  }
}
