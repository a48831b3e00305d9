/**
 * The other side of the bridge benchmark, as one child process: the agent's bridge with its store and its pipeline,
 * and echoes to put it beside. It ends with its parent.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { WebSocketServer } from 'ws';
import { buildBridgeSide, buildBrowserSide } from '../../../local-agent/agent.ts';
import { SystemView } from '../../../local-agent/edge/system-view.ts';
import { BrowserWork } from '../../../local-agent/instructions/browser-work.ts';
import { Pipeline } from '../../../local-agent/instructions/pipeline.ts';
import { systemClock } from '../../../local-agent/lib/clock.ts';
import { sha256Hex } from '../../../local-agent/lib/hash.ts';
import { openStore } from '../../../local-agent/store/store.ts';
import type { Addresses } from './meeting.ts';
import { PAIRED } from './meeting.ts';

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function echoOverWebSocket(before: (text: string) => void): Promise<string> {
  const server = createHttpServer();
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (ws) => {
    ws.on('message', (data) => {
      const text = data.toString();
      before(text);
      ws.send(text);
    });
  });
  return `ws://127.0.0.1:${await listen(server)}`;
}

/** A table that takes each message in a transaction of its own, synced as the agent's store is. */
function plainStore(path: string): (text: string) => void {
  const db = new DatabaseSync(path);
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE said (id INTEGER PRIMARY KEY, text TEXT)',
  );
  const insert = db.prepare('INSERT INTO said (text) VALUES (?)');
  return (text) => void insert.run(text);
}

async function startBridge(folder: string): Promise<string> {
  const store = openStore(join(folder, 'agent.sqlite'), { now: () => Date.now(), newOutboxId: () => 'bench' });
  const { origin, client_id, token } = PAIRED;
  store.pairings.put({ client_id, origin, token_hash: sha256Hex(token), created_at: Date.now() });
  const silent = { info: () => undefined, warn: console.error, error: console.error };
  const deps = {
    store,
    nodeId: 'bench-main',
    edge: { call: () => Promise.reject(new Error('there is no edge here')) },
    system: new SystemView(),
    clock: systemClock,
    random: Math.random,
    log: silent,
    activityLimit: 50,
  };
  const side = buildBrowserSide(deps);
  const pipeline = new Pipeline({
    store,
    nodeId: 'bench-main',
    startGate: () => 'open',
    hasFreeDescriptors: () => true,
    hostPolicy: {
      judge: () => ({ decision: 'allow', rule: 'bench' }),
      drift: async () => null,
      approval: () => {
        throw new Error('nothing is asked for');
      },
      isGranted: () => false,
      approvalInTurns: () => Promise.reject(new Error('nothing is asked for')),
      perform: () => Promise.reject(new Error('nothing is performed')),
    },
    outgoing: side.delivery,
    browsers: new BrowserWork({
      outgoing: side.delivery,
      targets: side.targets,
      reader: side.reader,
      redactor: () => {
        throw new Error('nothing is read');
      },
      monotonic: () => performance.now(),
    }),
    clock: systemClock,
    log: silent,
    onChange: () => side.snapshots.activityChanged(),
  });
  const { openLocalApi } = buildBridgeSide(side, {
    ...deps,
    messages: pipeline,
    // Without the limit of frames a second: the benchmark measures how many the bridge can take.
    frameLimits: { perSec: 1_000_000, burst: 1_000_000 },
    sharedToken: null,
    status: () => ({}),
    env: {},
  });
  const { url } = await openLocalApi('http://127.0.0.1:0');
  side.delivery.start();
  return url;
}

async function serve(folder: string): Promise<Addresses> {
  const http = createHttpServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"ok":true}');
  });
  const tcp = createTcpServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  return {
    bridge: await startBridge(folder),
    wsEcho: await echoOverWebSocket(() => undefined),
    wsEchoStored: await echoOverWebSocket(plainStore(join(folder, 'plain.sqlite'))),
    http: `http://127.0.0.1:${await listen(http)}`,
    tcpPort: await listen(tcp),
  };
}

process.on('disconnect', () => process.exit(0));
const addresses = await serve(process.argv[2] ?? '.');
process.send?.(addresses);
