import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_PROCESS, ownProcess, writeSystemRecord } from '../../../../local-agent/config/system-record.ts';
import { livingProcess } from '../../../../local-agent/host/process-start.ts';
import { REPOSITORY } from '../../../../local-agent/stack/layout.ts';
import { requireStopped } from '../../../../local-agent/stack/require-stopped.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const MAIN = join(REPOSITORY, 'local-agent', 'stack', 'main.ts');
const LIMIT_MS = 60_000;
const RECORD = {
  edge_url: 'http://127.0.0.1:8787',
  agent_url: 'http://127.0.0.1:4317',
  node_id: 'mini',
  version: '1',
};
/** A process that is not this one and lives as long as the test. */
const parent = () => ({ pid: process.ppid, began: livingProcess(process.ppid)?.began ?? null });

function rootWith(process: { pid: number | null; began: string | null }): string {
  const root = tempDir();
  writeSystemRecord(root, { ...RECORD, ...process });
  return root;
}

describe('npm start on a root', () => {
  it('ends while the system of the root runs: which process, where its page is, and what to end', {
    timeout: 2 * LIMIT_MS,
  }, () => {
    const root = rootWith(ownProcess());
    const started = spawnSync(process.execPath, [MAIN, '--port', '0', '--agent-port', '0', '--root', root], {
      env: { PATH: process.env.PATH, HOME: root },
      encoding: 'utf8',
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    expect(started).toMatchObject({ status: 1, signal: null, stdout: '' });
    expect(started.stderr).toBe(
      `npm start: ${root} runs already, as process ${process.pid} with the edge http://127.0.0.1:8787: "conductor open --root ${root}" opens its page. To start it here, end it first: Ctrl-C in its terminal, or "conductor service stop --root ${root}" when it is the service. A second system beside it needs another --root, --port and --agent-port\n`,
    );
  });

  it('is refused while another process runs its system', () => {
    expect(() => requireStopped(rootWith(parent()), {})).toThrow(`as process ${process.ppid}`);
  });

  it.each([
    ['has no record', () => tempDir()],
    ['was stopped', () => rootWith(NO_PROCESS)],
    [
      'has the record of a process that has ended, whose id a later one has',
      () => rootWith({ pid: process.ppid, began: 'before' }),
    ],
    [
      'has a record of an earlier version, which names a process by its id alone',
      () => rootWith({ pid: process.ppid, began: null }),
    ],
    ['has a record of this process', () => rootWith(ownProcess())],
  ])('is allowed when the root %s', (_case, make) => {
    expect(() => requireStopped(make(), {})).not.toThrow();
  });
});
