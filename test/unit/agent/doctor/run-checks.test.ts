/** How checks are made: all of them, each within its time, and what `--fix` does. */
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Check, Outcome } from '../../../../local-agent/doctor/check.ts';
import { found, Skipped } from '../../../../local-agent/doctor/check.ts';
import { skewMs } from '../../../../local-agent/doctor/checks/clock.ts';
import { systemMachine } from '../../../../local-agent/doctor/machine.ts';
import { DoctorReportSchema } from '../../../../local-agent/doctor/report.ts';
import { CHECK_MS, runChecks, summarize } from '../../../../local-agent/doctor/run-checks.ts';
import { MIGRATIONS } from '../../../../local-agent/store/migrations.ts';
import { listeningInodes, parseLsof } from '../../../../local-agent/worker-runner/listeners.ts';
import { DoctorScene } from '../../../support/doctor-scene.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { TestClock } from '../../../support/test-clock.ts';

const finding = (what: string, fix?: () => void) => ({
  code: 'secret_readable' as const,
  severity: 'error' as const,
  what,
  why: 'w',
  advice: 'a',
  command: null,
  ...(fix && { fix }),
});
const check = (id: string, look: () => Outcome | Promise<Outcome>): Check<null> => ({
  id,
  group: 'edge',
  title: id,
  look,
});
const run = (checks: Check<null>[], { fix = false, clock = new TestClock() } = {}) =>
  runChecks({ checks, newWorld: () => null, clock, fix });

describe('the checks of doctor', () => {
  it('one that fails, one that cannot be made and one that never ends do not stop another', async () => {
    const clock = new TestClock();
    const made = run(
      [
        check('fails', () => {
          throw new TypeError('a bug');
        }),
        check('skipped', () => {
          throw new Skipped('no edge');
        }),
        check('endless', () => new Promise(() => undefined)),
        check('found', () => found(finding('it is wrong'))),
        check('fine', () => ({ state: 'ok', note: 'seen' })),
      ],
      { clock },
    );
    await clock.elapse(CHECK_MS);
    const reports = await made;
    expect(reports.map(({ state, note }) => [state, note])).toEqual([
      ['skipped', 'it failed: a bug'],
      ['skipped', 'no edge'],
      ['skipped', 'it took longer than 12 s'],
      ['found', null],
      ['ok', 'seen'],
    ]);
    const report = summarize('/r', '1', reports);
    expect(DoctorReportSchema.parse(report)).toEqual(report);
    expect(report).toMatchObject({ errors: 1, warnings: 0, notes: 0, skipped: 3 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('without --fix nothing is changed, and with it the check is made again', async () => {
    let wrong = true;
    const mends = check('rights', () =>
      wrong
        ? found(
            finding('too wide', () => {
              wrong = false;
            }),
          )
        : { state: 'ok', note: 'narrow' },
    );
    expect(await run([mends])).toMatchObject([{ state: 'found', findings: [{ fixable: true }], fixed: [] }]);
    expect(wrong).toBe(true);
    expect(await run([mends], { fix: true })).toMatchObject([{ state: 'ok', note: 'narrow', fixed: ['too wide'] }]);
  });

  it('a fix that fails leaves its finding', async () => {
    const stays = check('rights', () =>
      found(
        finding('too wide', () => {
          throw new Error('EPERM');
        }),
      ),
    );
    expect(await run([stays], { fix: true })).toMatchObject([
      { state: 'found', findings: [{ what: 'too wide' }], fixed: [] },
    ]);
  });

  it('--fix takes the rights of others away from files and folders', async () => {
    const scene = new DoctorScene();
    chmodSync(scene.root, 0o755);
    chmodSync(scene.path('state/shared.token'), 0o644);
    const report = await scene.look('rights', { fix: true });
    expect(report).toMatchObject({ state: 'ok', fixed: [expect.stringContaining('shared.token'), expect.any(String)] });
    expect([scene.root, scene.path('state/shared.token')].map((path) => statSync(path).mode & 0o777)).toEqual([
      0o700, 0o600,
    ]);
  });
});

describe('what the checks measure', () => {
  it.each([
    ['within the second that the header hides', 10_000, 10_999, 11_500, 0],
    ['a slow response', 10_000, 5_000, 60_000, 0],
    ['ahead', 10_000, 51_000, 51_100, 40_000],
    ['behind', 51_000, 10_000, 11_000, -40_000],
  ])('the clock is %s', (_case, date, sentAt, receivedAt, skew) => {
    expect(skewMs({ date, sentAt, receivedAt })).toBe(skew);
  });

  it('the sockets that listen on a port are found in the table of the kernel, and no others', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:10DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0',
      '   1: 0100007F:10DD 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1',
      '   2: 0100007F:2253 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0 0 10 0',
    ].join('\n');
    expect(listeningInodes(table, 4317)).toEqual(['4711']);
  });

  it('the lines of lsof name process and program', () => {
    expect(parseLsof('p77\ncpython3\n')).toEqual({ pid: 77, command: 'python3' });
    expect(parseLsof('')).toEqual({ pid: null, command: null });
  });

  it('a program that listens on a port of this machine is named, and a free port has none', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const machine = systemMachine(process.env, async () => null);
    expect(await machine.listenerOf(port)).toMatchObject({ pid: process.pid });
    await new Promise((resolve) => server.close(resolve));
    expect(await machine.listenerOf(port)).toBeNull();
  });

  it('a program that takes a connection and does not respond is silent', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    onTestFinished(() => server.closeAllConnections());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { get } = systemMachine({}, async () => null);
    expect(await get(`http://127.0.0.1:${port}/healthz`, 50)).toMatchObject({ silent: true });
  });

  it('a program of a configuration is found in PATH or by its whole path', () => {
    const folder = tempDir();
    mkdirSync(`${folder}/bin`);
    writeFileSync(`${folder}/bin/codex`, '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(`${folder}/bin/text`, '', { mode: 0o644 });
    const { findProgram } = systemMachine({}, async () => null);
    const path = `/no/such:${folder}/bin`;
    expect(['codex', 'text', `${folder}/bin/codex`, 'bin/codex'].map((name) => findProgram(name, path))).toEqual([
      `${folder}/bin/codex`,
      null,
      `${folder}/bin/codex`,
      null,
    ]);
  });

  it('a program that is not there or does not end has no code', async () => {
    const { askProgram } = systemMachine(process.env, async () => null);
    expect(await askProgram(['/no/such'])).toMatchObject({ code: null, text: expect.stringContaining('ENOENT') });
    expect(await askProgram(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({ code: 3, text: 'out\nerr' });
  });

  it('the requests that the edge refused are read from the file of an agent that does not run', () => {
    const path = `${tempDir()}/agent.sqlite`;
    const db = new DatabaseSync(path);
    for (const { sql } of MIGRATIONS) db.exec(sql);
    const refusal = JSON.stringify({ status: 400, code: 'invalid_request', message: 'm' });
    db.exec(`INSERT INTO outbox (stream, seq, kind, method, path, body, context, status, stored_at, age_ms, refusal)
      VALUES ('s', 1, 'progress', 'POST', '/v1/x', '{}', '{}', 'refused', 1, 0, '${refusal}'),
             ('s', 2, 'progress', 'POST', '/v1/y', '{}', '{}', 'pending', 1, 0, NULL)`);
    db.close();
    expect(systemMachine({}, async () => null).readRefused(path)).toEqual([
      { kind: 'progress', path: '/v1/x', refusal: { status: 400, code: 'invalid_request', message: 'm' } },
    ]);
  });
});
