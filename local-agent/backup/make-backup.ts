/**
 * A backup of a root, also while its system runs. The databases belong together: what the agent no longer has in its outbox,
 * the edge must have. So the agent's database is locked for writing first, which its next write waits for; then D1 is copied,
 * the objects after it, and the agent's own last. A restore sees what a crash at that moment would have left, or a
 * database behind its objects, and both are what a start and `restore-check` mend.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import {
  AGENT_DATABASE,
  BOOTSTRAP_FILE,
  bootstrapPathOf,
  configPathOf,
  deployFolderOf,
  drainedForStopPath,
  edgeStateOf,
  NEXT_BOOTSTRAP_FILE,
  NODE_TOKEN_FILE,
  OPERATOR_TOKEN_FILE,
  policyPathOf,
} from '../config/root-files.ts';
import { SEEN_HEADS_FILES } from '../config/seen-heads.ts';
import type { SystemRecord } from '../config/system-record.ts';
import { NO_PROCESS, readSystemRecord } from '../config/system-record.ts';
import { makePrivateFolder } from '../host/own-files.ts';
import { fileDigest, MAX_ARCHIVE_BYTES, writeArchive } from './archive.ts';
import type { Manifest } from './manifest.ts';
import { FORMAT } from './manifest.ts';

/** While the system runs: copying more keeps the agent from its state for too long. */
const MAX_RUNNING_BYTES = 200 * 1024 * 1024;
const LOCK_WAIT_MS = 5_000;
/** Pages in one step: all of them, so that a copy is of one moment. */
const ALL_PAGES = 2 ** 30;
/** Files of the state folder that a backup has; further ones belong to one process or can be made again. */
const STATE_FILES = [OPERATOR_TOKEN_FILE, NODE_TOKEN_FILE, ...Object.values(SEEN_HEADS_FILES)];
/** What a deploy keeps: the secret cannot be read back from the edge, and the bookmarks lead back before a migration. */
const DEPLOY_FILES = [BOOTSTRAP_FILE, NEXT_BOOTSTRAP_FILE, 'deployed.json', 'bookmarks.jsonl'];

export class BackupError extends Error {
  override readonly name = 'BackupError';
}

export interface BackupOptions {
  root: string;
  stateDir: string;
  /** The new file. */
  target: string;
  isRunning: boolean;
  version: string;
  now: number;
}

export interface BackupResult {
  path: string;
  bytes: number;
  files: number;
  node_id: string | null;
}

interface Source {
  /** In the archive. */
  path: string;
  from: string;
}

/** The databases of the local edge: D1 first, then the objects. */
function edgeDatabases(root: string): Source[] {
  const folder = edgeStateOf(root);
  const storage = join(folder, 'v3');
  if (!existsSync(storage)) return [];
  const names = readdirSync(storage, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sqlite'));
  const order = (name: string) => (name.startsWith('d1/') ? 0 : 1);
  return names
    .filter((name) => /^(d1|do|r2|kv)\//.test(name))
    .sort((a, b) => order(a) - order(b) || a.localeCompare(b))
    .map((name) => ({ path: join('edge', 'v3', name), from: join(storage, name) }));
}

function plainFiles({ root, stateDir }: BackupOptions): Source[] {
  const all: Source[] = [
    { path: 'config.toml', from: configPathOf(root) },
    { path: 'policy.json', from: policyPathOf({ root }) },
    { path: `edge/${BOOTSTRAP_FILE}`, from: bootstrapPathOf(root) },
    ...STATE_FILES.map((name) => ({ path: `state/${name}`, from: join(stateDir, name) })),
    // Without it the node of a system that was stopped by its service stays drained.
    { path: `state/${basename(drainedForStopPath(root))}`, from: drainedForStopPath(root) },
    ...DEPLOY_FILES.map((name) => ({ path: `state/deploy/${name}`, from: join(deployFolderOf(root), name) })),
  ];
  return all.filter(({ from }) => existsSync(from));
}

/**
 * What a system of this root has, and without which a restore is not that system.
 *
 * @throws BackupError when some of it is not where it should be
 */
function requireWhole({ root, stateDir }: BackupOptions, record: SystemRecord | null): void {
  if (record === null) return;
  const ofAgent = record.agent_url === null ? [] : [join(stateDir, AGENT_DATABASE)];
  const ofEdge = existsSync(bootstrapPathOf(root)) ? [OPERATOR_TOKEN_FILE, NODE_TOKEN_FILE] : [];
  const missing = [...ofAgent, ...ofEdge.map((name) => join(stateDir, name))].filter((path) => !existsSync(path));
  if (ofEdge.length > 0 && edgeDatabases(root).length === 0) missing.push(join(edgeStateOf(root), 'v3'));
  if (missing.length === 0) return;
  throw new BackupError(
    `a system was started in ${root}, and this of it is not there: ${missing.join(', ')}. A backup without it would restore another system. Look whether state_dir, or --state-dir, names the right folder ("conductor config" shows it), or start the system once`,
  );
}

function sizeOf(path: string): number {
  return ['', '-wal'].reduce((sum, end) => sum + (statSync(`${path}${end}`, { throwIfNoEntry: false })?.size ?? 0), 0);
}

async function copyDatabase({ path, from }: Source, folder: string): Promise<void> {
  const to = join(folder, path);
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  const source = new DatabaseSync(from, { readOnly: true });
  try {
    source.exec(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}`);
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
  chmodSync(to, 0o600);
}

/** Keeps the agent from writing until the result is called. */
function lockAgent(path: string): () => void {
  const db = new DatabaseSync(path);
  try {
    db.exec(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}; BEGIN IMMEDIATE`);
  } catch (error) {
    db.close();
    throw new BackupError(
      `the agent's database ${path} cannot be locked: ${String(error)}; try again, or stop the system first`,
    );
  }
  return () => {
    db.exec('ROLLBACK');
    db.close();
  };
}

async function copyDatabases(options: BackupOptions, folder: string): Promise<string[]> {
  const agent: Source = { path: `state/${AGENT_DATABASE}`, from: join(options.stateDir, AGENT_DATABASE) };
  const edge = edgeDatabases(options.root);
  const all = existsSync(agent.from) ? [...edge, agent] : edge;
  const bytes = all.reduce((sum, { from }) => sum + sizeOf(from), 0);
  if (bytes > MAX_ARCHIVE_BYTES)
    throw new BackupError(
      `the databases have ${bytes} bytes, more than one archive takes: stop the system and copy ${options.root} as a folder`,
    );
  if (options.isRunning && bytes > MAX_RUNNING_BYTES) {
    throw new BackupError(
      `the databases have ${Math.round(bytes / 1024 / 1024)} MiB: copying them would keep the running agent from its state for too long. Stop the system first, then make the backup`,
    );
  }
  const unlock = existsSync(agent.from) ? lockAgent(agent.from) : () => undefined;
  try {
    for (const one of all) await copyDatabase(one, folder);
  } finally {
    unlock();
  }
  return all.map(({ path }) => path);
}

/** @throws BackupError; the target is then not there */
export async function makeBackup(options: BackupOptions): Promise<BackupResult> {
  const { root, target, isRunning, version, now } = options;
  if (existsSync(target)) throw new BackupError(`${target} exists already: name a new file`);
  const record = readSystemRecord(root);
  requireWhole(options, record);
  const folder = `${target}.${process.pid}.parts`;
  makePrivateFolder(folder);
  try {
    const databases = await copyDatabases(options, folder);
    const files = plainFiles(options);
    for (const { path, from } of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
      copyFileSync(from, join(folder, path));
    }
    const paths = [...files.map(({ path }) => path), ...databases];
    if (record !== null) {
      mkdirSync(join(folder, 'state'), { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, 'state/system.json'), JSON.stringify({ ...record, ...NO_PROCESS }));
      paths.push('state/system.json');
    }
    if (paths.length === 0) throw new BackupError(`${root} has nothing to keep: no system was set up there`);
    const node_id = record?.node_id ?? null;
    const manifest: Manifest = {
      format: FORMAT,
      made_at: new Date(now).toISOString(),
      version,
      node_id,
      running: isRunning,
      files: paths.map((path) => ({ path, ...fileDigest(join(folder, path)) })),
    };
    writeArchive(target, folder, JSON.stringify(manifest, null, 2), paths);
    return { path: target, bytes: statSync(target).size, files: paths.length, node_id };
  } catch (error) {
    if (!hasExisted(error)) rmSync(target, { force: true });
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether another process has made the target meanwhile: it is not ours to remove. */
function hasExisted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
