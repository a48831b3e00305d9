/**
 * `npm run deploy` as a program, with a `wrangler` on PATH that keeps a model of the account: the database is a real local
 * one that the real wrangler migrates and queries.
 */
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { migrationFiles } from '../../../../local-agent/stack/deploy/migration-files.ts';
import { REPOSITORY } from '../../../../local-agent/stack/layout.ts';
import type { FakeAccount } from '../../../support/fake-wrangler.ts';
import { NEW_ACCOUNT } from '../../../support/fake-wrangler.ts';
import { runLine } from '../../../support/system.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const TIMEOUT_MS = 300_000;

async function healthyServer(): Promise<string> {
  const server = createServer((_request, response) => response.end('ok'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it(
  'migrates a real database with the real wrangler, and ends with code 1 at the step that fails',
  async () => {
    const home = tempDir();
    const account = join(home, 'account.json');
    const bin = join(home, 'bin');
    mkdirSync(bin);
    const program = join(REPOSITORY, 'test/support/fake-wrangler.ts');
    // Git says that everything is committed: what is not is no subject here.
    const programs = { wrangler: `exec node ${program} "$@"`, git: 'exit 0' };
    for (const [name, line] of Object.entries(programs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const targets = [await healthyServer()];
    writeFileSync(account, JSON.stringify({ ...NEW_ACCOUNT, targets } satisfies FakeAccount));
    const model = {
      PATH: `${bin}:${process.env.PATH}`,
      BAA_TEST_ACCOUNT: account,
    };
    const root = join(home, 'root');
    const deploy = (environment: Record<string, string>) =>
      runLine(`node local-agent/stack/deploy/main.ts --root ${root} --write-config`, home, environment);

    const first = await deploy({ ...model, BAA_TEST_LOCAL: join(home, 'local') });
    const all = migrationFiles(REPOSITORY);
    expect(first.out).toContain(`migrations ${all.length} applied: ${all.join(', ')}`);
    expect(first.out).toContain('worker     baa-conductor version-1');
    expect(first.out).toContain(`health     ${targets[0]}/healthz is ok`);
    // This edge makes no tokens.
    expect(first.out).toMatch(/^operator +FAILED: the edge did not make an operator token/m);
    expect(first.code).toBe(1);
    expect(existsSync(join(root, 'state/deploy/bootstrap.token'))).toBe(true);

    const second = await deploy(model);
    expect(second.out).toContain(`migrations all ${all.length} are applied`);
    expect(second.out).toContain('secret     BAA_BOOTSTRAP_TOKEN is set');
    const { calls } = JSON.parse(readFileSync(account, 'utf8')) as FakeAccount;
    expect(calls.filter(({ args }) => args[0] === 'secret' && args[1] === 'put')).toHaveLength(1);
  },
  TIMEOUT_MS,
);
