/**
 * The edge on this machine, as one child process: the bundled Worker of `wrangler.toml` in the local runtime with
 * persistent state, its migrations, and the cron clock that the local runtime lacks. The process ends with its parent.
 * It locks its state, which only this user can read. Settings come from the environment, not from arguments, as one of
 * them is a secret.
 */
import { chmodSync, cpSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { z } from 'zod';
import { BOOTSTRAP_SECRET_MIN_CHARS } from '../../schema/contracts/tokens.ts';
import { HUNG_LOG } from '../host/log-files.ts';
import { makePrivateFolder } from '../host/own-files.ts';
import { returnMemoryOfStart } from '../host/return-memory.ts';
import { startWatchdog } from '../host/watchdog.ts';
import { isDiskFault } from '../lib/errno.ts';
import { signalGroup } from '../lib/kill-group.ts';
import { LOOPBACK_NAMES } from '../lib/loopback.ts';
import { takeFileLock } from '../store/file-lock.ts';
import { moveIntoStorage } from './edge-storage.ts';
import { migrateEdge, NewerDatabase } from './migrate-edge.ts';
import { workerSource } from './worker-source.ts';

const SettingsSchema = z.object({
  BAA_STACK_PORT: z.coerce.number().int().min(0).max(65_535),
  BAA_STACK_STATE: z.string().min(1),
  BAA_BOOTSTRAP_TOKEN: z.string().min(BOOTSTRAP_SECRET_MIN_CHARS),
  /** Variables of wrangler.toml to override, as a JSON object. */
  BAA_STACK_VARS: z
    .string()
    .default('{}')
    .transform((text) => z.record(z.string(), z.string()).parse(JSON.parse(text))),
});

/** Messages from this process to its parent. */
export type EdgeMessage = { type: 'ready'; url: string; migrations: string[] } | { type: 'cron_done'; outcome: string };
/** The message from the parent that fires the Cron Trigger. */
export interface EdgeRequest {
  type: 'cron';
}

/** The host names by which this edge is reached; `BAA_STACK_VARS` may name others, for a tunnel. */
const OWN_NAMES = LOOPBACK_NAMES.join(',');
const MINUTE_MS = 60_000;
const OTHERS_AND_GROUP = 0o077;
/** With less than this the edge's databases cannot be opened. */
const MIN_FREE_BYTES = 1024 * 1024;
/** As long as the parent waits for this process to stop. */
const STOP_MS = 5_000;
/** How long to wait for an edge that is still stopping to release its state. */
const LOCK_WAIT_MS = 5_000;

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** A copy of the status page for this run: a later build has other files, and would take these away from it. */
function copyPage(built: string, state: string): string {
  const copy = join(state, 'page');
  rmSync(copy, { recursive: true, force: true });
  cpSync(built, copy, { recursive: true });
  // Everything below the root belongs to its owner alone; a copy has the rights of what was built.
  chmodSync(copy, 0o700);
  for (const entry of readdirSync(copy, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
  return copy;
}

async function startEdge(settings: z.infer<typeof SettingsSchema>, storage: string) {
  const { options: workerOptions, script } = await workerSource();
  const page = copyPage(workerOptions.assets.directory, settings.BAA_STACK_STATE);
  const edge = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: settings.BAA_STACK_PORT,
      cf: false,
      log: new Log(LogLevel.WARN),
      resourcePersistencePath: storage,
      workers: [
        {
          ...workerOptions,
          assets: { ...workerOptions.assets, directory: page },
          name: 'conductor',
          modules: [{ type: 'ESModule', path: 'index.js', contents: script }],
          bindings: {
            ...workerOptions.bindings,
            BAA_HOSTS: OWN_NAMES,
            ...settings.BAA_STACK_VARS,
            BAA_BOOTSTRAP_TOKEN: settings.BAA_BOOTSTRAP_TOKEN,
          },
        },
      ],
    }),
  );
  const url = await edge.ready;
  const migrations = await migrateEdge(edge);
  return { edge, crons: workerOptions.cronTriggers, url: url.origin, migrations };
}

process.umask(OTHERS_AND_GROUP);
const settings = SettingsSchema.parse(process.env);
makePrivateFolder(settings.BAA_STACK_STATE);
const lock = takeFileLock(join(settings.BAA_STACK_STATE, 'edge.lock'), LOCK_WAIT_MS);
if (lock === null) {
  console.error(`another edge is running on ${settings.BAA_STACK_STATE}; stop it, or choose another --root`);
  process.exit(1);
}

/** Says why the edge did not start, without a stack where the disk is the cause, and exits. */
function failStart(error: unknown): never {
  const { BAA_STACK_STATE: state } = settings;
  // The runtime reports a full disk as an internal error without its cause.
  if (isDiskFault(error) || freeBytes(state) < MIN_FREE_BYTES) {
    console.error(`the edge cannot start: the disk of ${state} is full; free space, and start again. Nothing is lost`);
  } else console.error(error instanceof NewerDatabase ? error.message : error);
  process.exit(1);
}

// This process waits for the runtime synchronously when it fires the Cron Trigger. A runtime that has stopped would keep it,
// and the ports, for good when no supervisor is there to kill both.
startWatchdog(join(settings.BAA_STACK_STATE, HUNG_LOG), { lookMs: 1_000, looks: 60, killGroup: true });
const started = await startEdge(settings, moveIntoStorage(settings.BAA_STACK_STATE)).catch(failStart);
const { edge, crons, url, migrations } = started;
let stopping = false;

function sendToParent(message: EdgeMessage): void {
  if (process.connected) process.send?.(message);
}

async function fireCron(at: number): Promise<void> {
  const worker = await edge.getWorker();
  for (const cron of crons) {
    const { outcome } = await worker.scheduled({ scheduledTime: new Date(at), cron });
    sendToParent({ type: 'cron_done', outcome });
  }
}

/** Fires the Cron Trigger at each full minute, as the platform does. */
function armClock(): void {
  const now = Date.now();
  const next = now - (now % MINUTE_MS) + MINUTE_MS;
  setTimeout(() => {
    fireCron(next).catch((error: unknown) => console.error(`cron failed: ${String(error)}`));
    armClock();
  }, next - now).unref();
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  // A runtime that does not respond any more is killed with this process, whose group it belongs to.
  setTimeout(() => signalGroup(process.pid, 'SIGKILL'), STOP_MS).unref();
  await edge.dispose();
  lock?.close();
  process.exit(0);
}

process.on('message', (message: EdgeRequest) => {
  if (message.type === 'cron') {
    fireCron(Date.now()).catch((error: unknown) => sendToParent({ type: 'cron_done', outcome: String(error) }));
  }
});
process.on('disconnect', () => void stop());
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
armClock();
returnMemoryOfStart();
sendToParent({ type: 'ready', url, migrations });
// The parent may have died during the start, before the listener for `disconnect` was there.
if (process.connected === false) await stop();
