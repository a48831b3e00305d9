/** `npm run deploy` against a model of the account and a small edge that knows the Worker's secret. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keptFilesOf } from '../../../../local-agent/config/deployed.ts';
import { createEdgeClient } from '../../../../local-agent/edge/http-client.ts';
import { readWranglerToml } from '../../../../local-agent/stack/deploy/account-steps.ts';
import {
  addressOf,
  chooseAccount,
  pendingMigrations,
  withAddress,
} from '../../../../local-agent/stack/deploy/decide.ts';
import { deploy } from '../../../../local-agent/stack/deploy/deploy.ts';
import { createProgram, speaker } from '../../../../local-agent/stack/deploy/main.ts';
import { changedMigrations, migrationFiles } from '../../../../local-agent/stack/deploy/migration-files.ts';
import type { Deployment } from '../../../../local-agent/stack/deploy/step.ts';
import { targetOf } from '../../../../local-agent/stack/deploy/target.ts';
import { REPOSITORY } from '../../../../local-agent/stack/layout.ts';
import type { FakeAccount } from '../../../support/fake-wrangler.ts';
import { callFake, NEW_ACCOUNT } from '../../../support/fake-wrangler.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const MIGRATIONS = migrationFiles(REPOSITORY);
const OPERATOR = 'baa_the-operator-token-that-the-edge-made';

/** An edge that is healthy once the Worker is deployed, and makes a token for who has the Worker's secret. */
async function edgeOf(account: FakeAccount, worker: string): Promise<string> {
  const server = createServer((request, response) => {
    const given = request.headers.authorization?.replace('Bearer ', '');
    const secret = account.workers[worker]?.BAA_BOOTSTRAP_TOKEN;
    const send = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    const identity = { role: 'ops_admin', subject: 'operator', controller_id: null, expires_at: null };
    const refuse = () =>
      send(401, { ok: false, error: 'unauthorized', message: 'no token that is known', request_id: 'req_1' });
    if (secret === 'replace-me' && request.url !== '/healthz') {
      const message = 'BAA_BOOTSTRAP_TOKEN is not set';
      return send(503, { ok: false, error: 'auth_not_configured', message, details: {}, request_id: 'req_1' });
    }
    if (request.url === '/healthz') return response.writeHead(account.deploys > 0 ? 200 : 503).end('ok');
    if (request.url === '/v1/tokens' && given === secret) {
      const made = { token_id: 'tok_1', created_by: 'bootstrap', created_at: 1, revoked_at: null, last_used_at: null };
      return send(200, { ok: true, request_id: 'req_1', data: { ...identity, ...made, token: OPERATOR } });
    }
    if (request.url === '/v1/session' && given === OPERATOR) {
      return send(200, { ok: true, request_id: 'req_1', data: { ...identity, token_id: 'tok_1', via: 'token' } });
    }
    return refuse();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Options {
  account?: Partial<FakeAccount>;
  env?: string;
  environment?: Record<string, string>;
  flags?: Partial<Deployment['flags']>;
  root?: string;
}

async function scene({ account: more, env = '', environment = {}, flags, root = tempDir() }: Options = {}) {
  const account: FakeAccount = { ...structuredClone(NEW_ACCOUNT), ...more };
  const target = targetOf(readWranglerToml(REPOSITORY), env);
  account.targets = [await edgeOf(account, target.worker), 'schedule: * * * * *'];
  const said: string[] = [];
  const begun: string[] = [];
  const waited: number[] = [];
  const deployment: Deployment = {
    target,
    flags: { dryRun: false, newSecret: false, writeConfig: true, address: null, ...flags },
    folder: REPOSITORY,
    root,
    files: keptFilesOf(root),
    env: environment,
    envArg: `--env=${env}`,
    run: async (args, { stdin = '', env: variables } = {}) =>
      callFake(account, args, { stdin, outputFile: variables?.WRANGLER_OUTPUT_FILE_PATH ?? null }),
    changedMigrations: () => [],
    say: (line) => said.push(line),
    begin: (step) => begun.push(step),
    confirm: null,
    connect: (baseUrl, token) => createEdgeClient({ baseUrl, token, now: Date.now }),
    now: () => Date.UTC(2026, 0, 1),
    wait: async (ms) => void waited.push(ms),
    accountId: null,
    address: null,
  };
  /** Runs it; the printed lines of this run, each as `name result`. */
  const go = async () => {
    said.length = 0;
    const isDone = await deploy(deployment);
    return { isDone, text: said.join('\n') };
  };
  return { account, deployment, root, go, begun, waited, address: account.targets[0] ?? '' };
}

/** The calls that change the account. */
const changes = ({ calls }: FakeAccount) =>
  calls
    .map(({ args }) => args.filter((arg) => !arg.startsWith('-')).join(' '))
    .filter((words) => /create|apply|put|^deploy/.test(words));

describe('the first deploy', () => {
  it('creates the database, applies the migrations, sets the secret, deploys, and leaves an operator and an address', async () => {
    const { account, root, go, address } = await scene();
    const { isDone, text } = await go();
    expect(text).not.toContain('FAILED');
    expect(isDone).toBe(true);
    expect(changes(account)).toEqual([
      'd1 create conductor',
      'd1 migrations apply DB',
      'secret put BAA_BOOTSTRAP_TOKEN',
      'deploy',
    ]);
    expect(account.databases.conductor).toEqual(MIGRATIONS);
    expect(readFileSync(join(root, 'state/operator.token'), 'utf8')).toBe(`${OPERATOR}\n`);
    expect(statSync(join(root, 'state/operator.token')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(root, 'config.toml'), 'utf8')).toBe(`control_api_base = "${address}"\n`);
  });

  it('says each step before it begins, on a terminal in the line of its result', async () => {
    const { begun, go } = await scene();
    const { text } = await go();
    expect(begun).toEqual(text.split('\n').map((line) => line.split(' ')[0]));
    const written: string[] = [];
    const { begin, say } = speaker(true, (line) => written.push(line));
    begin('database');
    say('database   exists');
    expect(written).toEqual(['database …', '\r\u001b[Kdatabase   exists\n']);
  });

  it('gives the secret through standard input only, and prints it nowhere', async () => {
    const { account, go, root } = await scene();
    const { text } = await go();
    const secret = account.workers['baa-conductor']?.BAA_BOOTSTRAP_TOKEN ?? '';
    expect(secret).toMatch(/^baa_[\w-]{43}$/);
    expect(account.calls.flatMap(({ args }) => args).join(' ')).not.toContain(secret);
    expect(text).not.toContain(secret);
    expect(statSync(join(root, 'state/deploy/bootstrap.token')).mode & 0o777).toBe(0o600);
  });

  it('asks no Time Travel bookmark of a database that has nothing yet', async () => {
    const { account, go } = await scene();
    await go();
    expect(account.calls.some(({ args }) => args.includes('time-travel'))).toBe(false);
  });

  it.each(['replace-me', 'short'])('refuses the secret %s before it sets anything', async (secret) => {
    const { account, go } = await scene({ environment: { BAA_BOOTSTRAP_TOKEN: secret } });
    const { isDone, text } = await go();
    expect(isDone).toBe(false);
    expect(text).toMatch(/secret +FAILED: BAA_BOOTSTRAP_TOKEN (is a placeholder|has 5 characters)/);
    expect(text).toContain('next: unset the variable');
    expect(account.workers).toEqual({});
  });
});

describe('another run', () => {
  it('deploys the Worker and changes nothing else', async () => {
    const { account, go } = await scene();
    await go();
    account.calls = [];
    const { isDone, text } = await go();
    expect(isDone).toBe(true);
    expect(changes(account)).toEqual(['deploy']);
    expect(text).toContain('npx wrangler rollback version-1 "--env="');
  });

  it.each(['d1 create', 'migrations apply', 'secret put', 'deploy'])(
    'continues at "%s" after that step has failed, and says why it did',
    async (fails) => {
      const { account, go } = await scene({ account: { fails } });
      const failed = await go();
      expect(failed.isDone).toBe(false);
      expect(failed.text).toContain('the account says no');
      expect(failed.text).toMatch(/next: (mend what it says|run the deploy again)/);
      expect((await go()).isDone).toBe(true);
      const words = changes(account);
      // The failed call is made again, every other one was made once.
      expect(words.filter((one) => !one.includes(fails))).toEqual(
        [...new Set(words)].filter((one) => !one.includes(fails)),
      );
      expect(account.databases.conductor).toEqual(MIGRATIONS);
    },
  );

  it('with new migrations keeps a bookmark before they are applied', async () => {
    const before = MIGRATIONS.slice(0, -2);
    const { account, go, root } = await scene({ account: { databases: { conductor: [...before] } } });
    const { text } = await go();
    const order = account.calls.map(({ args }) => args.slice(0, 3).join(' '));
    expect(order.indexOf('d1 time-travel info')).toBeGreaterThan(-1);
    expect(order.indexOf('d1 time-travel info')).toBeLessThan(order.indexOf('d1 migrations apply'));
    const [kept] = readFileSync(join(root, 'state/deploy/bookmarks.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(kept).toMatchObject({ database: 'conductor', before: MIGRATIONS.slice(-2), at: '2026-01-01T00:00:00.000Z' });
    expect(text).toContain(`bookmark before them: ${kept.bookmark}`);
  });

  it('applies no migration without a bookmark', async () => {
    const { account, go } = await scene({
      account: { databases: { conductor: MIGRATIONS.slice(0, -1) }, fails: 'time-travel' },
    });
    expect((await go()).isDone).toBe(false);
    expect(changes(account)).toEqual([]);
  });

  it('keeps a secret that is set, and with --new-secret sets another', async () => {
    const { account, go, deployment } = await scene();
    await go();
    const first = account.workers['baa-conductor']?.BAA_BOOTSTRAP_TOKEN;
    deployment.flags.newSecret = true;
    await go();
    expect(account.workers['baa-conductor']?.BAA_BOOTSTRAP_TOKEN).not.toBe(first);
  });

  it('keeps the valid secret until the Worker has the new one, and a run after a failure sets that one', async () => {
    const { account, go, deployment, root } = await scene();
    await go();
    const kept = (name: string) => readFileSync(join(root, 'state/deploy', name), 'utf8').trim();
    const first = kept('bootstrap.token');
    account.fails = 'secret put';
    deployment.flags.newSecret = true;
    expect((await go()).isDone).toBe(false);
    expect(kept('bootstrap.token')).toBe(first);
    const second = kept('bootstrap.token.next');
    expect(statSync(join(root, 'state/deploy/bootstrap.token.next')).mode & 0o777).toBe(0o600);
    deployment.flags.newSecret = false;
    expect((await go()).isDone).toBe(true);
    expect(account.workers['baa-conductor']?.BAA_BOOTSTRAP_TOKEN).toBe(second);
    expect(kept('bootstrap.token')).toBe(second);
    expect(existsSync(join(root, 'state/deploy/bootstrap.token.next'))).toBe(false);
  });
});

describe('staging', () => {
  it('has a Worker, a database and a root of its own', async () => {
    const { account, go } = await scene({ env: 'staging' });
    expect((await go()).isDone).toBe(true);
    expect(Object.keys(account.databases)).toEqual(['conductor-staging']);
    expect(Object.keys(account.workers)).toEqual(['baa-conductor-staging']);
  });

  it('does not share the root of the other deployment, nor of a local system', async () => {
    const production = await scene();
    await production.go();
    const staging = await scene({ env: 'staging', root: production.root });
    const { isDone, text } = await staging.go();
    expect(isDone).toBe(false);
    expect(text).toContain(`the root ${production.root} belongs to the Worker baa-conductor`);
    expect(text).toContain(`next: name another root: --root ${production.root}-conductor-staging`);
    const root = tempDir();
    mkdirSync(join(root, 'edge'));
    const onLocal = await scene({ root });
    expect((await onLocal.go()).text).toContain(`the root ${root} belongs to a local system`);
    expect(onLocal.account.calls).toEqual([]);
  });
});

describe('a deploy that cannot be done', () => {
  it('says that wrangler is not logged in, before anything else', async () => {
    const { go, account } = await scene({ account: { accounts: [] } });
    const { text } = await go();
    expect(text).toContain('account    FAILED: wrangler is not logged in to Cloudflare');
    expect(text).toContain('npx wrangler login');
    expect(account.calls).toHaveLength(1);
  });

  it('refuses migrations that are not committed', async () => {
    const { go, account, deployment } = await scene();
    deployment.changedMigrations = () => ['schema/migrations/0099_mine.sql'];
    expect((await go()).text).toContain('changes that are not committed: schema/migrations/0099_mine.sql');
    expect(changes(account)).toEqual(['d1 create conductor']);
  });

  it('refuses a database that has migrations of a newer version', async () => {
    const { go, account } = await scene({ account: { databases: { conductor: [...MIGRATIONS, '9999_later.sql'] } } });
    expect((await go()).text).toContain('the database has migrations that this checkout lacks: 9999_later.sql');
    expect(changes(account)).toEqual([]);
  });

  it('refuses an operator token that the edge does not know, instead of replacing it', async () => {
    const { go, root } = await scene();
    mkdirSync(join(root, 'state'));
    writeFileSync(join(root, 'state/operator.token'), 'baa_of-another-system\n');
    const { isDone, text } = await go();
    expect(isDone).toBe(false);
    expect(text).toContain('does not accept the token');
    expect(readFileSync(join(root, 'state/operator.token'), 'utf8')).toBe('baa_of-another-system\n');
  });

  it('where the button left the placeholder as the secret, says the line that sets another, which then succeeds', async () => {
    const { go, root, deployment } = await scene({
      account: { workers: { 'baa-conductor': { BAA_BOOTSTRAP_TOKEN: 'replace-me' } } },
    });
    mkdirSync(join(root, 'state/deploy'), { recursive: true });
    writeFileSync(deployment.files.secret, 'replace-me\n');
    const { isDone, text } = await go();
    expect(isDone).toBe(false);
    expect(text).toContain(`next: set a new one: npm run deploy -- --root ${root} --new-secret`);
    deployment.flags.newSecret = true;
    expect((await go()).isDone).toBe(true);
  });

  it('gives an edge that stays ill up after a minute, with what it said', async () => {
    const { go, waited, deployment } = await scene();
    deployment.flags.address = await edgeOf({ ...NEW_ACCOUNT }, 'none');
    const { text } = await go();
    expect(text).toContain('/healthz was not ok within 60 s: it responded 503');
    expect(waited.length).toBe(29);
  });

  it('leaves a config.toml that names another edge, and without --write-config asks nothing of a pipe', async () => {
    const other = await scene();
    writeFileSync(join(other.root, 'config.toml'), 'control_api_base = "https://other.example"\n');
    expect((await other.go()).text).toContain('left alone');
    const { go, root, address } = await scene({ flags: { writeConfig: false } });
    expect((await go()).text).toContain(`not written: add control_api_base = "${address}" to ${root}/config.toml`);
    expect(existsSync(join(root, 'config.toml'))).toBe(false);
  });
});

describe('--dry-run', () => {
  it('says each step, builds the Worker, and asks nothing of the account', async () => {
    const { account, go, root } = await scene({ flags: { dryRun: true } });
    const { isDone, text } = await go();
    expect(isDone).toBe(true);
    expect(text).toMatch(/^database +would create the D1 database conductor if it is missing$/m);
    expect(account.calls.map(({ args }) => args)).toEqual([['deploy', '--dry-run', '--outdir', 'dist', '--env=']]);
    expect(existsSync(join(root, 'state'))).toBe(false);
  });
});

describe('a build of Cloudflare, such as the one of the deploy button', () => {
  it('migrates and deploys, and leaves secret, root and tokens alone', async () => {
    const { account, go, root } = await scene({
      account: { workers: { 'baa-conductor': { BAA_BOOTSTRAP_TOKEN: 'set-in-the-dashboard-long-enough' } } },
      environment: { WORKERS_CI: '1' },
    });
    expect((await go()).isDone).toBe(true);
    expect(changes(account)).toEqual(['d1 create conductor', 'd1 migrations apply DB', 'deploy']);
    expect(existsSync(join(root, 'config.toml'))).toBe(false);
  });
});

describe('the options of a deploy', () => {
  const addressOf = (value: string) =>
    createProgram()
      .configureOutput({ writeErr: () => undefined })
      .parse(['--address', value], { from: 'user' })
      .opts<{ address: string }>().address;

  it.each(['https://edge.example.com', 'http://127.0.0.1:8787'])('take %s', (value) => {
    expect(addressOf(value)).toBe(value);
  });

  it.each(['http://edge.example.com', 'http://127.0.0.1.example.com', 'edge'])('refuse %s', (value) => {
    expect(() => addressOf(value)).toThrow(/https address/);
  });
});

describe('the changed migrations', () => {
  it('of a folder without Git are none, and are unknown where Git fails', () => {
    const folder = tempDir();
    expect(changedMigrations(folder)).toEqual([]);
    writeFileSync(join(folder, '.git'), 'gitdir: nowhere');
    expect(() => changedMigrations(folder)).toThrow(/Git cannot say/);
  });
});

describe('the decisions of a deploy', () => {
  it('pending migrations are those after the last applied one; a gap is refused', () => {
    expect(pendingMigrations(['1', '2'], ['1', '2', '3'])).toEqual(['3']);
    expect(() => pendingMigrations(['1', '3'], ['1', '2', '3'])).toThrow('the database has 3 and lacks 2');
  });

  it('of several accounts one has to be named', () => {
    const accounts = [
      { id: 'a', name: 'A' },
      { id: 'b', name: 'B' },
    ];
    expect(() => chooseAccount(accounts, undefined)).toThrow('several accounts: a (A), b (B)');
    expect(chooseAccount(accounts, 'b').name).toBe('B');
    expect(() => chooseAccount(accounts, 'c')).toThrow('the account c is none of yours');
  });

  it('a custom domain comes before workers.dev', () => {
    const targets = [
      'https://baa-conductor.me.workers.dev',
      'conductor.example.com (custom domain)',
      'schedule: * * * * *',
    ];
    expect(addressOf(targets)).toBe('https://conductor.example.com');
    expect(addressOf(targets.slice(0, 1))).toBe('https://baa-conductor.me.workers.dev');
    expect(addressOf(['schedule: * * * * *'])).toBeNull();
  });

  it('the address goes before the first table of config.toml', () => {
    expect(withAddress('host = "mini"\n\n[repos]\napp = "~/app"\n', 'https://e')).toBe(
      'host = "mini"\n\ncontrol_api_base = "https://e"\n[repos]\napp = "~/app"\n',
    );
    expect(withAddress('host = "mini"', 'https://e')).toBe('host = "mini"\ncontrol_api_base = "https://e"\n');
  });

  it('the top of wrangler.toml and staging never share a Worker or a database', () => {
    const toml = readWranglerToml(REPOSITORY);
    const [top, staging] = [targetOf(toml, ''), targetOf(toml, 'staging')];
    expect([top.worker, top.database]).toEqual(['baa-conductor', 'conductor']);
    expect([staging.worker, staging.database]).toEqual(['baa-conductor-staging', 'conductor-staging']);
    expect(() => targetOf(toml, 'nope')).toThrow('no environment nope');
  });
});
