// Loaded into the processes of `npm start` for a simulated day (NODE_OPTIONS). It lets the benchmark fire the cron as the edge's
// own parent would, and see what of a heap is in use after a collection. Plain JavaScript, so that nothing more is loaded than that.
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const PARTS = { 'launch.js': 'supervisor', 'edge.js': 'edge', 'agent.js': 'agent' };

/** Resolves with the outcome of the tick, which the edge tells its parent. */
function fireCron() {
  return new Promise((resolve) => {
    const { send } = process;
    process.send = (message, ...rest) => {
      if (message?.type === 'cron_done') {
        process.send = send;
        resolve(message.outcome);
      }
      return send.call(process, message, ...rest);
    };
    process.emit('message', { type: 'cron' });
  });
}

/** What this process has in use after a full collection, in bytes. */
function liveHeap() {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const ASKED = { cron: fireCron, heap: async () => liveHeap() };

const part = PARTS[basename(process.argv[1] ?? '')];
const folder = process.env.BENCH_DAY_CONTROL;
if (part !== undefined && folder !== undefined) {
  const path = join(folder, `${process.env.BENCH_DAY_NODE ?? ''}${part}.sock`);
  rmSync(path, { force: true });
  createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (asked) => {
      ASKED[asked.toString()]().then(
        (answer) => socket.end(String(answer)),
        (error) => socket.end(`failed: ${error}`),
      );
    });
  })
    .listen(path)
    .unref();
}
