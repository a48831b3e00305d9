/** The unit is checked by systemd itself where it is installed; a running one is not needed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ServicePlan } from '../../../../local-agent/service/plan.ts';
import { systemdFile } from '../../../../local-agent/service/systemd-file.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const isInstalled = spawnSync('systemd-analyze', ['--version']).status === 0;

/** The exit code of `systemd-analyze verify` for a unit with this text, and what it said. */
function verify(text: string, runtime: string): { status: number | null; stderr: string } {
  const unit = join(runtime, 'baa-conductor.service');
  writeFileSync(unit, text);
  const args = ['verify', '--user', '--recursive-errors=no', unit];
  return spawnSync('systemd-analyze', args, { encoding: 'utf8', env: { ...process.env, XDG_RUNTIME_DIR: runtime } });
}

function unitOf(root: string): string {
  const plan: ServicePlan = {
    kind: 'system',
    why: '',
    root,
    argv: [process.execPath, join(root, 'launch.js'), 'system', '--root', root],
    environment: { PATH: '/usr/bin:/bin', BAA_CONDUCTOR_LOCAL_API: '' },
    logsDir: join(root, 'logs'),
  };
  return systemdFile(plan);
}

beforeAll(() => {
  if (isInstalled) return;
  process.stderr.write('systemd-analyze is not installed: the unit of the service is NOT checked by systemd\n');
});

describe.runIf(isInstalled)('the unit of a service, as systemd reads it', () => {
  it('is valid, for a root with any characters', () => {
    const root = join(tempDir(), `a b & "c" \\d %h $HOME ü`);
    mkdirSync(root);
    const { status, stderr } = verify(unitOf(root), tempDir());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.each([
    ['Restart=always', 'Restart=allways'],
    ['KillMode=process', 'KilMode=process'],
    ['ExecStart="', 'ExecStart="/nowhere'],
  ])('is refused when %s is %s', (right, wrong) => {
    const text = unitOf('/srv/baa');
    expect(text).toContain(right);
    expect(verify(text.replace(right, wrong), tempDir()).status).not.toBe(0);
  });
});
