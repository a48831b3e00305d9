/** Two hosts whose browsers show the same conversation bring the same message at once: one runs it, the other is told. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAgentFile } from '../support/agent-file.ts';
import { block, openBrowser } from '../support/browser.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';
import type { TestBrowser } from '../support/test-browser.ts';

const MINUTE_MS = 60_000;
const ROUNDS = 25;

interface Host {
  node: TestNode;
  browser: TestBrowser;
  effects: string;
}

let cluster: Cluster;
let hosts: Host[];
beforeAll(async () => {
  cluster = await Cluster.start();
  hosts = await Promise.all(['host-a', 'host-b'].map(open));
}, 2 * MINUTE_MS);
afterAll(() => cluster?.stop());

async function open(name: string): Promise<Host> {
  const node = await cluster.node(name);
  mkdirSync(join(node.root, 'workspace'));
  writeFileSync(join(node.root, 'policy.json'), JSON.stringify({ exec: { shell: 'allow' } }));
  await node.start();
  const browser = await openBrowser(cluster, node);
  void deliverAll(browser);
  return { node, browser, effects: join(node.root, 'workspace', 'effects') };
}

/** Until its socket is gone. */
async function deliverAll(browser: TestBrowser): Promise<void> {
  try {
    for (;;) await browser.delivers();
  } catch {
    // The test is over.
  }
}

/** The effects of that message, on both hosts. */
function effectsOf(id: string): number {
  return hosts
    .filter(({ effects }) => existsSync(effects))
    .flatMap(({ effects }) => readFileSync(effects, 'utf8').split('\n'))
    .filter((line) => line === id).length;
}

/** What each host was answered about the newest message it brought, once both were and it has run. */
function answers(count: number): Promise<string[]> {
  return until(async () => {
    const told = hosts.map(({ node }) =>
      askAgentFile(node, 'SELECT message_id, ingest_status FROM messages ORDER BY rowid'),
    );
    if (told.some((rows) => rows.length < count)) return null;
    return told.map((rows) => String(rows[count - 1]?.ingest_status));
  });
}

async function ended(count: number): Promise<{ message_id: string }[]> {
  return until(async () => {
    type Row = { message_id: string; status: string };
    const { items } = await cluster.call<{ items: Row[] }>('GET', '/v1/instructions?limit=200');
    return items.length >= count && items.every(({ status }) => status === 'succeeded') ? items : null;
  });
}

let messages = 0;
/** Both bring the message at once; what they were answered. Its one instruction has run by then. */
async function bothSay(isNamed: (host: number) => boolean): Promise<string[]> {
  messages += 1;
  const id = `answer-${messages}`;
  const text = block(`@conductor::exec::echo ${id} >> effects`);
  await Promise.all(hosts.map(({ browser }, host) => browser.says(id, text, { isNamed: isNamed(host) })));
  const told = await answers(messages);
  const rows = await ended(messages);
  expect(rows, 'one journal row for each message').toHaveLength(messages);
  expect(effectsOf(id), `effects of ${id}`).toBe(1);
  return told.sort();
}

describe('the same message from two hosts at once', () => {
  it(
    'has one effect and one journal row, and the other host hears that it is a duplicate',
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        expect(await bothSay(() => true)).toEqual(['accepted', 'duplicate_message']);
      }
    },
    3 * MINUTE_MS,
  );

  it(
    'is one message as well when one of the pages, or neither, tells its id',
    async () => {
      for (let round = 0; round < ROUNDS / 5; round++) {
        expect(await bothSay((host) => host === round % 2)).toEqual(['accepted', 'duplicate_only']);
        expect(await bothSay(() => false)).toEqual(['accepted', 'duplicate_message']);
      }
    },
    3 * MINUTE_MS,
  );
});
