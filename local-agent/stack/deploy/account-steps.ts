/** The steps of a deploy that change the account: database, migrations, secret, Worker. Each looks before it changes. */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TOKEN_PREFIX } from '../../../schema/contracts/tokens.ts';
import { readDeployed } from '../../config/deployed.ts';
import { readOwnFile, replacePrivateFile } from '../../host/own-files.ts';
import { addressOf, chooseAccount, pendingMigrations, requireSecret } from './decide.ts';
import { keepBookmark, keepDeployed } from './kept.ts';
import { migrationFiles, requireCommitted } from './migration-files.ts';
import type { Deployment } from './step.ts';
import { StepError } from './step-error.ts';
import { commandLine, readJsonOutput, requireSuccess } from './wrangler.ts';

const SECRET = 'BAA_BOOTSTRAP_TOKEN';
const SECRET_BYTES = 32;

const AccountSchema = z.object({
  loggedIn: z.boolean(),
  email: z.string().nullish(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
});
const DatabasesSchema = z.array(z.object({ uuid: z.string(), name: z.string() }));
const SecretsSchema = z.array(z.object({ name: z.string() }));
const RowsSchema = z.array(z.object({ results: z.array(z.object({ name: z.string() })) }));

export async function checkAccount(d: Deployment): Promise<string> {
  const args = ['whoami', '--json'];
  const ran = await d.run(args);
  const who = ran.code === 0 ? readJsonOutput(args, ran, AccountSchema) : null;
  if (who?.loggedIn !== true) {
    throw new StepError(
      'wrangler is not logged in to Cloudflare',
      'a deploy changes your account, so Cloudflare has to know that it is you',
      'run "npx wrangler login" in a browser\'s reach, or set CLOUDFLARE_API_TOKEN',
    );
  }
  const account = chooseAccount(who.accounts, d.env.CLOUDFLARE_ACCOUNT_ID);
  d.accountId = account.id;
  return `${who.email ?? 'an API token'}, account ${account.name}`;
}

export async function ensureDatabase(d: Deployment): Promise<string> {
  const { database, databaseId } = d.target;
  const args = ['d1', 'list', '--json'];
  const found = readJsonOutput(args, requireSuccess(args, await d.run(args)), DatabasesSchema);
  if (found.some(({ name, uuid }) => name === database && (databaseId === null || uuid === databaseId))) {
    return `${database} exists`;
  }
  if (databaseId !== null) {
    throw new StepError(
      `the account has no database ${database} with the id ${databaseId}`,
      'wrangler.toml names an id that belongs to another account, or the database was deleted',
      'remove database_id from wrangler.toml: wrangler then finds the database by its name',
    );
  }
  const create = ['d1', 'create', database];
  requireSuccess(create, await d.run(create));
  return `${database} was created`;
}

export async function ensureBuckets(d: Deployment): Promise<string> {
  const created: string[] = [];
  for (const bucket of d.target.buckets) {
    if ((await d.run(['r2', 'bucket', 'info', bucket])).code === 0) continue;
    const create = ['r2', 'bucket', 'create', bucket];
    requireSuccess(create, await d.run(create));
    created.push(bucket);
  }
  return created.length === 0 ? `${d.target.buckets.join(', ')} exists` : `${created.join(', ')} was created`;
}

async function appliedMigrations(d: Deployment): Promise<string[]> {
  const sql = 'SELECT name FROM d1_migrations ORDER BY id';
  const args = ['d1', 'execute', 'DB', '--remote', '--json', d.envArg, '--command', sql];
  const ran = await d.run(args);
  // A database that has never been migrated.
  if (ran.code !== 0 && `${ran.out}${ran.err}`.includes('no such table: d1_migrations')) return [];
  const results = readJsonOutput(args, requireSuccess(args, ran), RowsSchema);
  return results.flatMap((one) => one.results.map(({ name }) => name));
}

export async function migrate(d: Deployment): Promise<string> {
  requireCommitted(d.changedMigrations());
  const files = migrationFiles(d.folder);
  const applied = await appliedMigrations(d);
  const pending = pendingMigrations(applied, files);
  if (pending.length === 0) return `all ${files.length} are applied`;
  let bookmark: string | null = null;
  if (applied.length > 0) {
    const info = ['d1', 'time-travel', 'info', 'DB', '--json', d.envArg];
    const BookmarkSchema = z.object({ bookmark: z.string().min(1) });
    ({ bookmark } = readJsonOutput(info, requireSuccess(info, await d.run(info)), BookmarkSchema));
    keepBookmark(d.files, {
      at: new Date(d.now()).toISOString(),
      database: d.target.database,
      bookmark,
      before: pending,
    });
    d.say(`           bookmark before them: ${bookmark} (kept in ${d.files.bookmarks})`);
  }
  const apply = ['d1', 'migrations', 'apply', 'DB', '--remote', d.envArg];
  const ran = await d.run(apply);
  const left = pendingMigrations(await appliedMigrations(d), files);
  if (ran.code === 0 && left.length === 0) return `${pending.length} applied: ${pending.join(', ')}`;
  const back = ['d1', 'time-travel', 'restore', 'DB', `--bookmark=${bookmark}`, d.envArg];
  throw new StepError(
    `${left.length} of ${pending.length} migrations were not applied: ${left.join(', ')}`,
    ran.code === 0 ? 'wrangler reported success all the same' : `${ran.out}\n${ran.err}`.trim().slice(-1_000),
    bookmark === null
      ? 'run the deploy again: it continues at the first that is missing'
      : `run the deploy again, or go back: ${commandLine(back)}, then "conductor restore-check"`,
  );
}

const readSecret = (path: string): string | null => readOwnFile(path)?.trim() || null;

/** The secret to set: of the environment, of an earlier run that did not come to its end, or a new one. */
function newSecret(d: Deployment): string {
  const given = d.env[SECRET];
  if (given !== undefined) return requireSecret(given);
  const kept = readSecret(d.files.nextSecret) ?? (d.flags.newSecret ? null : readSecret(d.files.secret));
  return kept ? requireSecret(kept) : `${TOKEN_PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

export async function ensureSecret(d: Deployment): Promise<string> {
  const args = ['secret', 'list', '--format', 'json', d.envArg];
  const ran = await d.run(args);
  // A Worker that does not exist yet has no secrets.
  const isNew = ran.code !== 0 && /not found|does not exist/i.test(`${ran.out}${ran.err}`);
  const names = isNew ? [] : readJsonOutput(args, requireSuccess(args, ran), SecretsSchema).map(({ name }) => name);
  // After a run that broke off here, either secret may be the one that the Worker has: setting the new one again decides it.
  const isUndecided = readSecret(d.files.nextSecret) !== null;
  if (names.includes(SECRET) && !d.flags.newSecret && !isUndecided) return `${SECRET} is set`;
  const secret = newSecret(d);
  // Kept first, and beside the one that is valid until the Worker has this one.
  replacePrivateFile(d.files.nextSecret, `${secret}\n`);
  const put = ['secret', 'put', SECRET, d.envArg];
  requireSuccess(put, await d.run(put, { stdin: secret }));
  renameSync(d.files.nextSecret, d.files.secret);
  return `${SECRET} was set; a copy is in ${d.files.secret}`;
}

const OutputSchema = z.object({
  type: z.string(),
  version_id: z.string().nullish(),
  targets: z.array(z.string()).nullish(),
});

/** What the last deploy that wrangler wrote into `file` says. */
function readDeployOutput(file: string): z.output<typeof OutputSchema> | undefined {
  const lines = (readOwnFile(file) ?? '').split('\n').filter((line) => line !== '');
  return lines
    .flatMap((line) => OutputSchema.safeParse(JSON.parse(line)).data ?? [])
    .findLast(({ type }) => type === 'deploy');
}

export async function deployWorker(d: Deployment): Promise<string> {
  const output = join(d.files.folder, 'wrangler-output.jsonl');
  replacePrivateFile(output, '');
  const args = ['deploy', d.envArg];
  requireSuccess(args, await d.run(args, { env: { WRANGLER_OUTPUT_FILE_PATH: output } }));
  const made = readDeployOutput(output);
  const before = readDeployed(d.files);
  const address = d.flags.address ?? addressOf(made?.targets ?? []);
  const version_id = made?.version_id ?? null;
  const previous = before?.version_id ?? null;
  keepDeployed(d.files, { worker: d.target.worker, address, version_id, previous_version_id: previous });
  d.address = address;
  if (previous !== null)
    d.say(`           to go back to the version before: ${commandLine(['rollback', previous, d.envArg])}`);
  return `${d.target.worker} ${version_id ?? ''}`.trim();
}

/** The configuration that is deployed. */
export function readWranglerToml(folder: string): string {
  return readFileSync(join(folder, 'wrangler.toml'), 'utf8');
}
