/** A backup and a new root from it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { strToU8, zipSync } from 'fflate';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { BackupError, makeBackup } from '../../../../local-agent/backup/make-backup.ts';
import { restoreBackup } from '../../../../local-agent/backup/restore-backup.ts';
import { sha256Hex } from '../../../../local-agent/lib/hash.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/until.ts';

const D1 = 'edge/v3/d1/miniflare-D1DatabaseObject/d1.sqlite';
const LEASE = 'edge/v3/do/conductor-LeaderLease/lease.sqlite';
const AGENT = 'state/agent.sqlite';

function openDatabase(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true });
  const db = new DatabaseSync(path);
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, text TEXT)',
  );
  return db;
}

/** The numbers of the rows in a database. */
function rowsOf(path: string): number[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare('SELECT n FROM rows ORDER BY n').all();
  db.close();
  return rows.map(({ n }) => Number(n));
}

/** The number of the row that the agent has stored last. */
function lastOf(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare('PRAGMA user_version').get();
  db.close();
  return Number(row?.user_version);
}

/** A root with everything that a system keeps. */
function newRoot() {
  const home = tempDir();
  const root = join(home, 'root');
  const databases = [D1, LEASE, AGENT].map((name) => openDatabase(join(root, name)));
  for (const db of databases) db.exec("INSERT INTO rows VALUES (1, 'x')");
  const files = {
    'config.toml': 'priority = 1\n',
    'policy.json': '{}',
    'state/operator.token': 'baa_operator',
    'state/shared.token': 'baa_shared',
    'state/drained-for-stop': 'mini-main\n',
    'state/deploy/bootstrap.token': 'baa_deployed',
    'state/deploy/deployed.json': '{}',
    'state/deploy/bookmarks.jsonl': '{}\n',
    'edge/bootstrap.token': 'baa_bootstrap',
    'state/system.json': JSON.stringify({
      edge_url: 'http://127.0.0.1:1',
      agent_url: null,
      node_id: 'mini-main',
      pid: process.pid,
      began: null,
      version: '1',
    }),
  };
  for (const folder of ['logs', 'workspace', 'firefox', 'state/deploy']) mkdirSync(join(root, folder));
  for (const [name, text] of Object.entries({ ...files, 'logs/agent.1.log': 'l', 'workspace/mine': 'm' }))
    writeFileSync(join(root, name), text);
  return { home, root, databases, target: join(home, 'backup.zip') };
}

const backupOf = ({ root, target }: { root: string; target: string }, isRunning = true) =>
  makeBackup({ root, stateDir: join(root, 'state'), target, isRunning, version: '1.2.3', now: 1_800_000_000_000 });
const namesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

describe('a backup', () => {
  it('a root from it has databases, tokens, configuration and policy, for this user only, and no process', async () => {
    const scene = newRoot();
    const made = await backupOf(scene);
    expect(made).toMatchObject({ path: scene.target, node_id: 'mini-main', files: 13 });
    expect(statSync(scene.target).mode & 0o777).toBe(0o600);
    const root = join(scene.home, 'new');
    expect(restoreBackup({ archive: scene.target, root })).toMatchObject({
      node_id: 'mini-main',
      has_edge: true,
      files: 13,
    });
    expect(namesIn(root)).toEqual(
      [
        D1,
        LEASE,
        AGENT,
        'config.toml',
        'edge/bootstrap.token',
        'edge/restored',
        'policy.json',
        'state/deploy/bookmarks.jsonl',
        'state/deploy/bootstrap.token',
        'state/deploy/deployed.json',
        'state/drained-for-stop',
        'state/operator.token',
        'state/shared.token',
        'state/system.json',
      ].sort(),
    );
    expect([D1, LEASE, AGENT].map((name) => rowsOf(join(root, name)))).toEqual([[1], [1], [1]]);
    expect(readFileSync(join(root, 'state/operator.token'), 'utf8')).toBe('baa_operator');
    expect(JSON.parse(readFileSync(join(root, 'state/system.json'), 'utf8'))).toMatchObject({
      node_id: 'mini-main',
      pid: null,
    });
    const open = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (name) => (statSync(join(root, name)).mode & 0o077) !== 0,
    );
    expect(open).toEqual([]);
    expect(namesIn(scene.home).filter((name) => !/^(root|new)\//.test(name))).toEqual(['backup.zip']);
  });

  it('a root whose state lies outside of it has the state inside after a restore, and its config.toml says so', async () => {
    const scene = newRoot();
    const stateDir = join(scene.home, 'other-state');
    mkdirSync(stateDir);
    const db = openDatabase(join(stateDir, 'agent.sqlite'));
    db.exec("INSERT INTO rows VALUES (2, 'outside')");
    db.close();
    for (const name of ['operator.token', 'shared.token']) writeFileSync(join(stateDir, name), `baa_outside_${name}`);
    writeFileSync(
      join(scene.root, 'config.toml'),
      `priority = 1\nstate_dir = "${stateDir}" # on a disk of its own\n\n[repos]\nstate_dir = "~/src/state_dir"\n`,
    );
    const { target } = scene;
    await makeBackup({ ...scene, stateDir, target, isRunning: true, version: '1.2.3', now: 1_800_000_000_000 });
    const root = join(scene.home, 'new');
    expect(restoreBackup({ archive: target, root }).former_state_dir).toBe(stateDir);
    expect(rowsOf(join(root, AGENT))).toEqual([2]);
    expect(readFileSync(join(root, 'state/operator.token'), 'utf8')).toBe('baa_outside_operator.token');
    expect(parse(readFileSync(join(root, 'config.toml'), 'utf8'))).toEqual({
      priority: 1,
      repos: { state_dir: '~/src/state_dir' },
    });
  });

  it('a state_dir that a restore cannot change is an error, and nothing is restored', async () => {
    const scene = newRoot();
    writeFileSync(join(scene.root, 'config.toml'), '"state\\u005fdir" = "/other-state"\n');
    await backupOf(scene);
    const root = join(scene.home, 'new');
    expect(() => restoreBackup({ archive: scene.target, root })).toThrow(/config\.toml sets state_dir/);
    expect(existsSync(root)).toBe(false);
  });

  it('what the agent no longer has, the edge has in it, also while both write', async () => {
    const scene = newRoot();
    const [d1, lease, agent] = scene.databases;
    for (const db of [d1, lease]) {
      db?.exec(`WITH RECURSIVE c(n) AS (SELECT 1000000 UNION ALL SELECT n + 1 FROM c WHERE n < 1020000)
        INSERT INTO rows SELECT n, hex(randomblob(200)) FROM c`);
    }
    let last = 1;
    let isOver = false;
    /** As outbox and edge do: stored by the agent, then by the edge, and only then removed at the agent. */
    const write = async (): Promise<void> => {
      while (!isOver) {
        try {
          agent?.exec(`BEGIN; INSERT INTO rows VALUES (${last + 1}, 'x'); PRAGMA user_version = ${last + 1}; COMMIT`);
          last += 1;
          d1?.exec(`INSERT INTO rows VALUES (${last}, 'x')`);
          agent?.exec(`DELETE FROM rows WHERE n = ${last}`);
        } catch {
          // Locked; the row stays where it is.
          if (agent?.isTransaction === true) agent.exec('ROLLBACK');
        }
        await setImmediate();
      }
    };
    const writing = write();
    await until(() => last > 3);
    await backupOf(scene);
    const reached = last;
    await until(() => last > reached + 3);
    isOver = true;
    const root = join(scene.home, 'new');
    await writing;
    restoreBackup({ archive: scene.target, root });
    const [inAgent, inD1] = [new Set(rowsOf(join(root, AGENT))), new Set(rowsOf(join(root, D1)))];
    const newest = lastOf(join(root, AGENT));
    expect(newest).toBeGreaterThan(3);
    const lost = Array.from({ length: newest }, (_, n) => n + 1).filter((n) => !inAgent.has(n) && !inD1.has(n));
    expect(lost).toEqual([]);
  });

  it('without the state of a system that was started there is none, and what is missing is named', async () => {
    const scene = newRoot();
    for (const db of scene.databases) db.close();
    const { root, target } = scene;
    const record = JSON.parse(readFileSync(join(root, 'state/system.json'), 'utf8')) as object;
    writeFileSync(join(root, 'state/system.json'), JSON.stringify({ ...record, agent_url: 'http://127.0.0.1:2' }));
    const options = { root, target, isRunning: false, version: '1.2.3', now: 1 };
    const away = join(scene.home, 'away');
    await expect(makeBackup({ ...options, stateDir: away })).rejects.toThrow(
      `is not there: ${['agent.sqlite', 'operator.token', 'shared.token'].map((name) => join(away, name)).join(', ')}.`,
    );
    expect(readdirSync(scene.home)).toEqual(['root']);
    expect((await makeBackup({ ...options, stateDir: join(root, 'state') })).files).toBeGreaterThan(0);
  });

  it('it replaces no file, and of nothing there is none', async () => {
    const scene = newRoot();
    writeFileSync(scene.target, 'mine');
    await expect(backupOf(scene)).rejects.toThrow(/exists already/);
    expect(readFileSync(scene.target, 'utf8')).toBe('mine');
    const empty = { root: join(scene.home, 'empty'), target: join(scene.home, 'empty.zip') };
    await expect(backupOf(empty)).rejects.toThrow(/has nothing to keep/);
    expect(existsSync(empty.target)).toBe(false);
  });

  it('a database that stays locked is an error that says what to do', async () => {
    const scene = newRoot();
    scene.databases[2]?.exec('BEGIN IMMEDIATE');
    await expect(backupOf(scene)).rejects.toThrow(/cannot be locked: .*try again, or stop the system first/);
    expect(existsSync(scene.target)).toBe(false);
  });
});

describe('a restore', () => {
  async function backedUp() {
    const scene = newRoot();
    await backupOf(scene);
    return { ...scene, archive: scene.target, root: join(scene.home, 'new') };
  }

  it('a root that is not empty stays as it is', async () => {
    const { archive, root } = await backedUp();
    mkdirSync(root);
    writeFileSync(join(root, 'mine'), 'm');
    expect(() => restoreBackup({ archive, root })).toThrow(/is not empty/);
    expect(namesIn(root)).toEqual(['mine']);
  });

  it.each([
    ['is damaged in the middle', (bytes: Buffer) => bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 64)],
    ['was cut', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ['is no archive', () => Buffer.from('hello')],
  ])('an archive that %s changes nothing', async (_case, alter) => {
    const { archive, root, home } = await backedUp();
    writeFileSync(archive, alter(readFileSync(archive)));
    expect(() => restoreBackup({ archive, root })).toThrow(BackupError);
    expect(existsSync(root)).toBe(false);
    expect(readdirSync(home)).not.toContain('new.restoring');
  });

  const file = (path: string, text: string) => ({ path, bytes: text.length, sha256: sha256Hex(text) });
  const manifestOf = (...files: object[]) =>
    JSON.stringify({ format: 1, made_at: 'x', version: '1', node_id: null, running: false, files });

  it.each([
    [
      'a path outside',
      { '../evil': 'e', 'manifest.json': manifestOf(file('config.toml', 'c')) },
      /it contains \.\.\/evil/,
    ],
    ['a path above', { 'state/../../evil': 'e', 'manifest.json': manifestOf() }, /it contains state/],
    ['a file of another kind', { 'bin/run': 'e', 'manifest.json': manifestOf() }, /it contains bin\/run/],
    [
      'a file that the manifest does not name',
      { 'config.toml': 'c', 'manifest.json': manifestOf() },
      /not in its manifest/,
    ],
    [
      'another text than the manifest says',
      { 'config.toml': 'd', 'manifest.json': manifestOf(file('config.toml', 'c')) },
      /config.toml is damaged/,
    ],
    ['a file too few', { 'manifest.json': manifestOf(file('config.toml', 'c')) }, /config.toml is missing/],
    ['no manifest', { 'config.toml': 'c' }, /it has no manifest/],
    ['a manifest of a later format', { 'manifest.json': manifestOf().replace('"format":1', '"format":2') }, /format/],
  ])('an archive with %s is refused, and nothing is written', (_case, entries, reason) => {
    const home = tempDir();
    const archive = join(home, 'made.zip');
    writeFileSync(
      archive,
      zipSync(Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, strToU8(text)]))),
    );
    expect(() => restoreBackup({ archive, root: join(home, 'a/new') })).toThrow(reason);
    expect(namesIn(home)).toEqual(['made.zip']);
  });

  it('a restore that was interrupted is named, and so is a file that is not there', async () => {
    const { archive, root, home } = await backedUp();
    mkdirSync(`${root}.restoring`);
    expect(() => restoreBackup({ archive, root })).toThrow(/another restore runs, or one was interrupted/);
    expect(() => restoreBackup({ archive: join(home, 'none.zip'), root })).toThrow(/there is no file/);
  });
});
