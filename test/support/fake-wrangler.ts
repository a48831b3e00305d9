/**
 * A program `wrangler` that keeps a Cloudflare account in a file: who is logged in, databases with their migrations,
 * Workers with their secrets, and every call with what it got on standard input. A call whose words match `fails` ends
 * with code 1, once. With `BAA_TEST_LOCAL` the database is a real local one of the real wrangler below that folder.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface FakeAccount {
  accounts: { id: string; name: string }[];
  /** Applied migrations by the name of the database. */
  databases: Record<string, string[]>;
  /** Secrets by the name of the Worker. */
  workers: Record<string, Record<string, string>>;
  targets: string[];
  deploys: number;
  fails: string | null;
  calls: { args: string[]; stdin: string }[];
}

export const NEW_ACCOUNT: FakeAccount = {
  accounts: [{ id: 'acc1', name: 'Example' }],
  databases: {},
  workers: {},
  targets: [],
  deploys: 0,
  fails: null,
  calls: [],
};

const DATABASES: Record<string, string> = { '--env=': 'conductor', '--env=staging': 'conductor-staging' };
const WORKERS: Record<string, string> = { '--env=': 'baa-conductor', '--env=staging': 'baa-conductor-staging' };

class FakeFailure extends Error {}

/** The real wrangler with the local database, or null when this account is a model only. */
function local(args: readonly string[]): string | null {
  const folder = process.env.BAA_TEST_LOCAL;
  if (folder === undefined) return null;
  const real = args.flatMap((arg) => (arg === '--remote' ? ['--local', '--persist-to', folder] : [arg]));
  const path = (process.env.PATH ?? '').split(':').slice(1).join(':');
  const ran = spawnSync('wrangler', real, { encoding: 'utf8', env: { ...process.env, PATH: path } });
  if (ran.status !== 0) throw new FakeFailure(`${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

function run(account: FakeAccount, args: readonly string[], stdin: string, outputFile: string | null): string {
  const envArg = args.find((arg) => arg.startsWith('--env=')) ?? '--env=';
  const database = DATABASES[envArg] ?? '';
  const worker = WORKERS[envArg] ?? '';
  const words = args.filter((arg) => !arg.startsWith('-')).join(' ');
  const applied = account.databases[database];
  if (words === 'whoami') {
    if (account.accounts.length === 0) throw new FakeFailure('{"loggedIn":false}');
    return JSON.stringify({ loggedIn: true, email: 'ops@example.com', accounts: account.accounts });
  }
  if (words === 'd1 list') {
    const names = Object.keys(account.databases);
    return JSON.stringify(names.map((name) => ({ uuid: `id-of-${name}`, name, version: 'production' })));
  }
  if (words.startsWith('d1 create ')) {
    account.databases[args[2] ?? ''] = [];
    return 'created';
  }
  if (words.startsWith('secret list')) {
    if (account.workers[worker] === undefined) throw new FakeFailure(`Worker "${worker}" not found.`);
    const names = Object.keys(account.workers[worker]);
    return JSON.stringify(names.map((name) => ({ name, type: 'secret_text' })));
  }
  if (words.startsWith('secret put ')) {
    account.workers[worker] = { ...account.workers[worker], [args[2] ?? '']: stdin };
    return 'Success';
  }
  if (args[0] === 'deploy') return deploy(account, args, worker, outputFile);
  if (applied === undefined) throw new FakeFailure(`Couldn't find DB with name '${database}'`);
  if (words.startsWith('d1 execute')) {
    const real = local(args);
    if (real !== null) return real;
    if (applied.length === 0) throw new FakeFailure('{"error":{"text":"no such table: d1_migrations: SQLITE_ERROR"}}');
    return JSON.stringify([{ results: applied.map((name) => ({ name })), success: true, meta: {} }]);
  }
  if (words.startsWith('d1 time-travel info')) return JSON.stringify({ bookmark: `bookmark-${account.calls.length}` });
  if (words.startsWith('d1 migrations apply')) {
    const real = local(args);
    const files = readdirSync('schema/migrations').filter((name) => name.endsWith('.sql'));
    account.databases[database] = files.sort();
    return real ?? 'applied';
  }
  throw new FakeFailure(`Unknown command: ${args.join(' ')}`);
}

function deploy(account: FakeAccount, args: readonly string[], worker: string, outputFile: string | null): string {
  if (args.includes('--dry-run')) return 'Total Upload: 1 KiB / gzip: 1 KiB';
  if (account.workers[worker]?.BAA_BOOTSTRAP_TOKEN === undefined) {
    throw new FakeFailure('The following required secrets have not been set: BAA_BOOTSTRAP_TOKEN');
  }
  account.deploys += 1;
  const output = { type: 'deploy', version: 1, version_id: `version-${account.deploys}`, targets: account.targets };
  if (outputFile !== null)
    appendFileSync(outputFile, `{"type":"wrangler-session","version":1}\n${JSON.stringify(output)}\n`);
  return 'Deployed';
}

/** One call of wrangler. It changes the account. */
export function callFake(
  account: FakeAccount,
  args: readonly string[],
  { stdin = '', outputFile = null }: { stdin?: string; outputFile?: string | null } = {},
): { code: number; out: string; err: string } {
  account.calls.push({ args: [...args], stdin });
  try {
    if (account.fails !== null && args.join(' ').includes(account.fails)) {
      account.fails = null;
      throw new FakeFailure('the account says no');
    }
    return { code: 0, out: `${run(account, args, stdin, outputFile)}\n`, err: '' };
  } catch (error) {
    if (!(error instanceof FakeFailure)) throw error;
    return { code: 1, out: '', err: `${error.message}\n` };
  }
}

if (import.meta.main) {
  const file = process.env.BAA_TEST_ACCOUNT ?? '';
  const account: FakeAccount = JSON.parse(readFileSync(file, 'utf8'));
  const outputFile = process.env.WRANGLER_OUTPUT_FILE_PATH ?? null;
  const { code, out, err } = callFake(account, process.argv.slice(2), { stdin: readFileSync(0, 'utf8'), outputFile });
  writeFileSync(file, JSON.stringify(account));
  process.stdout.write(out);
  process.stderr.write(err);
  process.exitCode = code;
}
