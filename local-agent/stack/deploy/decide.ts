/** The decisions of a deploy, apart from wrangler and files. */
import { BOOTSTRAP_SECRET_MIN_CHARS, PLACEHOLDER_SECRETS } from '../../../schema/contracts/tokens.ts';
import { StepError } from './step-error.ts';

/** The migrations that the database lacks, in order. @throws StepError when it has others than this checkout */
export function pendingMigrations(applied: readonly string[], files: readonly string[]): string[] {
  const unknown = applied.filter((name) => !files.includes(name));
  if (unknown.length > 0) {
    throw new StepError(
      `the database has migrations that this checkout lacks: ${unknown.join(', ')}`,
      'it was deployed from a newer version, or from another branch',
      'deploy from that version, or restore the database to the bookmark before them (docs/runbook.md)',
    );
  }
  const pending = files.filter((name) => !applied.includes(name));
  const last = files.filter((name) => applied.includes(name)).at(-1);
  const skipped = pending.filter((name) => last !== undefined && name < last);
  if (skipped.length > 0) {
    throw new StepError(
      `the database has ${last} and lacks ${skipped.join(', ')}`,
      'migrations are applied in the order of their numbers, so a file was renamed or removed from the database',
      'compare schema/migrations with the table d1_migrations before anything is deployed',
    );
  }
  return pending;
}

/** @throws StepError for a secret that the edge would refuse */
export function requireSecret(secret: string): string {
  const placeholder = PLACEHOLDER_SECRETS.includes(secret.trim());
  if (!placeholder && secret.length >= BOOTSTRAP_SECRET_MIN_CHARS) return secret;
  throw new StepError(
    `BAA_BOOTSTRAP_TOKEN ${placeholder ? 'is a placeholder' : `has ${secret.length} characters`}`,
    `the edge refuses every request while the secret is shorter than ${BOOTSTRAP_SECRET_MIN_CHARS} characters or a placeholder`,
    'unset the variable, so that a secret is generated, or set a random one: openssl rand -base64 32',
  );
}

interface Account {
  id: string;
  name: string;
}

/** The account to deploy into. @throws StepError when it is not clear which */
export function chooseAccount(accounts: readonly Account[], wanted: string | undefined): Account {
  const [first] = accounts;
  const named = wanted === undefined ? undefined : accounts.find(({ id }) => id === wanted);
  if (named !== undefined) return named;
  // The token of a build may deploy into its account, and see no list of accounts.
  if (wanted !== undefined && accounts.length === 0) return { id: wanted, name: wanted };
  const list = accounts.map(({ id, name }) => `${id} (${name})`).join(', ');
  if (wanted !== undefined) {
    throw new StepError(
      `the account ${wanted} is none of yours: ${list}`,
      'CLOUDFLARE_ACCOUNT_ID names it',
      'set CLOUDFLARE_ACCOUNT_ID to one of them, or log in as another user: npx wrangler login',
    );
  }
  if (first !== undefined && accounts.length === 1) return first;
  throw new StepError(
    accounts.length === 0 ? 'this login has no account' : `this login has several accounts: ${list}`,
    'a deploy has to know which account it changes',
    accounts.length === 0 ? 'log in as another user: npx wrangler login' : 'set CLOUDFLARE_ACCOUNT_ID to one of them',
  );
}

const CUSTOM_DOMAIN = /^([a-z0-9.-]+) \(custom domain\)/i;

/** The address of the deployed Worker: its custom domain, else the one on workers.dev. Null when it has none. */
export function addressOf(targets: readonly string[]): string | null {
  const [domain] = targets.flatMap((target) => CUSTOM_DOMAIN.exec(target)?.[1] ?? []);
  if (domain !== undefined) return `https://${domain}`;
  const url = targets.find((target) => /^https?:\/\/\S+$/.test(target));
  return url === undefined ? null : new URL(url).origin;
}

/** What a root says of the system that it belongs to. */
export interface RootFacts {
  root: string;
  /** It has the state of a local edge. */
  hasLocalEdge: boolean;
  /** The Worker that was deployed with it; null for none. */
  worker: string | null;
}

/** @throws StepError when the root belongs to another system, whose tokens a deploy would replace */
export function requireRootFor(worker: string, { root, hasLocalEdge, worker: owner }: RootFacts): void {
  const belongs = owner !== null && owner !== worker ? `the Worker ${owner}` : hasLocalEdge ? 'a local system' : null;
  if (belongs === null) return;
  throw new StepError(
    `the root ${root} belongs to ${belongs}`,
    'a deploy keeps the tokens and the address of its edge below a root, and two systems never share one',
    `name another root: --root ${root}-${worker.replace(/^baa-/, '')}`,
  );
}

const TABLE = /^[ \t]*\[/m;

/** The configuration with the address of the edge, which has to come before the first table. */
export function withAddress(config: string, address: string): string {
  const line = `control_api_base = ${JSON.stringify(address)}\n`;
  const table = TABLE.exec(config);
  const end = table?.index ?? config.length;
  const before = config.slice(0, end);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${gap}${line}${config.slice(end)}`;
}
