/** Two hosts whose browsers show the same conversation report the same message at once: one runs it, the other gets `duplicate`. */
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

/** Delivers everything until the socket is closed. */
async function deliverAll(browser: TestBrowser): Promise<void> {
  try {
    for (;;) await browser.delivers();
  } catch {
    // The socket was closed at the end of the test.
  }
}

/** The effects of that message, on both hosts. */
function effectsOf(id: string): number {
  return hosts
    .filter(({ effects }) => existsSync(effects))
    .flatMap(({ effects }) => readFileSync(effects, 'utf8').split('\n'))
    .filter((line) => line === id).length;
}

/** The response to each host about its newest message, once both have one and the message has run. */
function waitForResponses(count: number): Promise<string[]> {
  return until(async () => {
    const responses = hosts.map(({ node }) =>
      askAgentFile(node, 'SELECT message_id, ingest_status FROM messages ORDER BY rowid'),
    );
    if (responses.some((rows) => rows.length < count)) return null;
    return responses.map((rows) => String(rows[count - 1]?.ingest_status));
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
/** Both hosts report the message at once; resolves with their responses when its instruction has run. */
async function bothSay(isNamed: (host: number) => boolean): Promise<string[]> {
  messages += 1;
  const id = `answer-${messages}`;
  const text = block(`@conductor::exec::echo ${id} >> effects`);
  await Promise.all(hosts.map(({ browser }, host) => browser.says(id, text, { isNamed: isNamed(host) })));
  const responses = await waitForResponses(messages);
  const rows = await ended(messages);
  expect(rows, 'one journal row for each message').toHaveLength(messages);
  expect(effectsOf(id), `effects of ${id}`).toBe(1);
  return responses.sort();
}

describe('the same message from two hosts at once', () => {
  it(
    'a message from two hosts has one effect and one journal row, and the other host gets duplicate',
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        expect(await bothSay(() => true)).toEqual(['accepted', 'duplicate_message']);
      }
    },
    3 * MINUTE_MS,
  );

  it(
    'a message from two hosts is one message even when one of the pages, or neither, gives its id',
    async () => {
      for (let round = 0; round < ROUNDS / 5; round++) {
        expect(await bothSay((host) => host === round % 2)).toEqual(['accepted', 'duplicate_only']);
        expect(await bothSay(() => false)).toEqual(['accepted', 'duplicate_message']);
      }
    },
    3 * MINUTE_MS,
  );
});
