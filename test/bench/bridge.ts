/** What a message costs from the browser to its acknowledgement, beside echoes and a plain fetch. All on loopback. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import type { Addresses } from './bridge/meeting.ts';
import { PAIRED } from './bridge/meeting.ts';
import { messageOf } from './extraction/texts.ts';
import { AskingSocket } from './harness/asking-socket.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { paceOf } from './harness/benchmark.ts';
import type { Cleanup } from './harness/cleanup.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Subject } from './harness/measure.ts';
import { interleave } from './harness/measure.ts';
import { comparison, speedGoals } from './harness/report.ts';

const NOT_STORED = 'bridge, diagnostic acknowledged';
const STORED = 'bridge, final message stored and acknowledged';
const WS = 'ws echo';
const WS_STORED = 'ws echo with one SQLite commit';
const TCP = 'raw TCP echo';
const FETCH = 'fetch';

async function startServers(cleanup: Cleanup): Promise<Addresses> {
  const child = fork(fileURLToPath(import.meta.resolve('./bridge/servers.ts')), [cleanup.folder()]);
  cleanup.add(child, async () => {
    if (child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.disconnect();
    await exit;
  });
  const [addresses] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the servers of the benchmark did not start'))),
  ]);
  return addresses as Addresses;
}

async function tcpEcho(port: number, cleanup: Cleanup, message: string): Promise<Subject> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  cleanup.add(socket, () => socket.destroy());
  await once(socket, 'connect');
  const bytes = Buffer.from(message);
  let missing = 0;
  let done = (): void => undefined;
  socket.on('data', (data) => {
    missing -= data.length;
    if (missing === 0) done();
  });
  return {
    name: TCP,
    role: 'floor',
    run: () =>
      new Promise<void>((resolve) => {
        missing = bytes.length;
        done = resolve;
        socket.write(bytes);
      }),
  };
}

async function wsEcho(name: string, url: string, cleanup: Cleanup, message: string): Promise<Subject> {
  const socket = cleanup.add(await AskingSocket.open(url), (open) => open.close());
  return { name, role: name === WS ? 'peer' : 'floor', run: () => socket.ask(message) };
}

async function openBridge(url: string, cleanup: Cleanup): Promise<AskingSocket> {
  const { origin, client_id, token } = PAIRED;
  const socket = await AskingSocket.open(`${url.replace('http', 'ws')}/ws/firefox`, {
    headers: { origin },
    isAnswer: (text) => /^\{"type":"(message_ack|hello_ack|error)"/.test(text),
  });
  cleanup.add(socket, (open) => open.close());
  const hello = { type: 'hello', client_id, browser: 'bench', extension_version: '0', platforms: ['claude'], token };
  await socket.ask(JSON.stringify(hello));
  return socket;
}

function acknowledged(answer: string): void {
  if (!answer.startsWith('{"type":"message_ack"')) throw new Error(`not acknowledged: ${answer}`);
}

function bridgeSubjects(socket: AskingSocket, text: string): Subject[] {
  let sent = 0;
  const frame: Omit<FinalMessage, 'request_id' | 'observed_at'> = {
    type: 'browser.final_message',
    client_id: PAIRED.client_id,
    platform: 'claude',
    conversation_id: 'bench-conversation',
    raw_text: text,
    role: 'assistant',
    page_url: 'https://claude.ai/chat/bench-conversation',
    page_title: null,
    tab_id: 1,
    shell_page: false,
    capture: { source: 'network', other: 'absent' },
  };
  const ask = async (body: object): Promise<void> => {
    sent += 1;
    acknowledged(await socket.ask(JSON.stringify({ ...body, request_id: `request-${sent}` })));
  };
  return [
    { name: NOT_STORED, role: 'ours', run: () => ask({ type: 'diagnostic', level: 'info', message: text }) },
    {
      name: STORED,
      role: 'ours',
      run: () => ask({ ...frame, assistant_message_id: `message-${sent}`, observed_at: Date.now() }),
    },
  ];
}

export const bridge: Benchmark = {
  name: 'bridge',
  what: 'a message from the browser to its acknowledgement',
  run: (options) =>
    withCleanup(async (cleanup) => {
      const addresses = await startServers(cleanup);
      const text = messageOf(1_024).slice(0, 1_024);
      const echoed = JSON.stringify({ type: 'echo', text });
      const [notStored, stored] = bridgeSubjects(await openBridge(addresses.bridge, cleanup), text);
      if (!notStored || !stored) throw new Error('two subjects are expected');
      const measured = await interleave(
        [
          notStored,
          stored,
          await wsEcho(WS, addresses.wsEcho, cleanup, echoed),
          await wsEcho(WS_STORED, addresses.wsEchoStored, cleanup, echoed),
          await tcpEcho(addresses.tcpPort, cleanup, echoed),
          { name: FETCH, role: 'peer', run: async () => (await fetch(addresses.http)).text() },
        ],
        paceOf(options),
      );
      const goals = [
        ...speedGoals(measured, NOT_STORED, [
          [1 / 1.15, WS],
          [1 / 1.3, TCP],
          [3, FETCH],
        ]),
        ...speedGoals(measured, STORED, [[0.5, WS_STORED]]),
      ];
      const notes = [
        'A diagnostic takes the whole way through the bridge but for the disk. A final message is parsed, judged, and',
        'committed to SQLite with a sync before it is acknowledged: it is compared with the echo that commits too.',
      ];
      return { sections: [comparison('Round trip of 1 KiB', measured, { unit: 'ms', goals, notes })], absent: [] };
    }),
};
