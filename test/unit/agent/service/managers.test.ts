import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownProcess, writeSystemRecord } from '../../../../local-agent/config/system-record.ts';
import { serviceScene } from '../../../support/service-scene.ts';

const LABEL = 'so.makefile.baa-conductor';
const TARGET = `gui/501/${LABEL}`;
const plist = (home: string) => join(home, 'Library/LaunchAgents', `${LABEL}.plist`);
const unit = (home: string) => join(home, '.config/systemd/user/baa-conductor.service');

/** An edge that knows the node `mini`, which runs nothing. */
const edge =
  (draining: boolean) =>
  ({ method }: { method: string }) =>
    method === 'POST'
      ? { controller_id: 'mini', draining: true, runs: [] }
      : { draining, live_runs: [], presence: { connected: true, contact_age_ms: 0 } };
const drains = (calls: readonly { method: string; body: unknown }[]) =>
  calls.filter(({ method }) => method === 'POST').map(({ body }) => body);

describe('a service under launchd', () => {
  it('is written, enabled and loaded by install; a second install changes nothing', async () => {
    const { run, managed, out, home } = serviceScene('darwin');
    expect(await run('install')).toBe(0);
    expect(managed()).toEqual([`launchctl enable ${TARGET}`, `launchctl bootstrap gui/501 ${plist(home)}`]);
    expect(out[0]).toBe(`the service is installed and started: ${plist(home)}`);
    expect(await run('install')).toBe(0);
    expect(managed()).toEqual([]);
    expect(out.at(-2)).toBe(`the service is installed already and runs: ${plist(home)}`);
  });

  it('is unloaded and loaded again by an install that changes its file', async () => {
    const { run, managed, out, home } = serviceScene('darwin');
    await run('install');
    managed();
    expect(await run('install', { role: 'primary' })).toBe(0);
    expect(managed()).toEqual([
      `launchctl bootout ${TARGET}`,
      `launchctl enable ${TARGET}`,
      `launchctl bootstrap gui/501 ${plist(home)}`,
    ]);
    expect(out.at(-2)).toContain('has changed: it is replaced and started again');
  });

  it('is killed and started by restart, and loaded by start when it is not', async () => {
    const { run, managed, home } = serviceScene('darwin');
    await run('install');
    managed();
    await run('restart');
    await run('start');
    expect(managed()).toEqual([`launchctl kickstart -k ${TARGET}`]);
    await run('stop', { now: true });
    await run('start');
    expect(managed()).toEqual([
      `launchctl disable ${TARGET}`,
      `launchctl bootout ${TARGET}`,
      `launchctl enable ${TARGET}`,
      `launchctl bootstrap gui/501 ${plist(home)}`,
    ]);
  });

  it('is unloaded and removed by uninstall, which may be repeated', async () => {
    const { run, managed, home, out } = serviceScene('darwin');
    await run('install');
    managed();
    expect(await run('uninstall', { now: true })).toBe(0);
    expect(managed()).toEqual([`launchctl bootout ${TARGET}`, `launchctl enable ${TARGET}`]);
    expect(existsSync(plist(home))).toBe(false);
    expect(await run('uninstall')).toBe(0);
    expect(out.at(-1)).toBe('no service is installed, so there is nothing to remove');
  });

  it('shows what it printed by following its file', async () => {
    const { run, managed, root } = serviceScene('darwin');
    await run('install');
    managed();
    await run('logs', { follow: true, lines: '20' });
    expect(managed()).toEqual([`tail -n 20 -F ${root}/logs/service.log`]);
  });
});

describe('a service under systemd', () => {
  it('is written, enabled and started by install; a second install changes nothing', async () => {
    const { run, managed, out, err, home } = serviceScene('linux');
    expect(await run('install')).toBe(0);
    expect(managed()).toEqual([
      'systemctl --user daemon-reload',
      'systemctl --user enable baa-conductor.service',
      'systemctl --user restart baa-conductor.service',
    ]);
    expect(out[0]).toBe(`the service is installed and started: ${unit(home)}`);
    expect(err.join('\n')).toContain('loginctl enable-linger ada');
    const written = readFileSync(unit(home), 'utf8');
    expect(await run('install')).toBe(0);
    expect(managed()).toEqual([
      'systemctl --user enable baa-conductor.service',
      'systemctl --user start baa-conductor.service',
    ]);
    expect(readFileSync(unit(home), 'utf8')).toBe(written);
  });

  it('is restarted, stopped for good, and removed by one command each', async () => {
    const { run, managed, home } = serviceScene('linux');
    await run('install');
    managed();
    await run('restart');
    await run('stop', { now: true });
    await run('uninstall', { now: true });
    expect(managed()).toEqual([
      'systemctl --user restart baa-conductor.service',
      'systemctl --user disable --now baa-conductor.service',
      'systemctl --user disable --now baa-conductor.service',
      'systemctl --user daemon-reload',
    ]);
    expect(existsSync(unit(home))).toBe(false);
  });

  it('shows what it printed by its journal', async () => {
    const { run, managed } = serviceScene('linux');
    await run('install');
    managed();
    await run('logs', { lines: '20' });
    expect(managed()).toEqual(['journalctl --user --unit=baa-conductor.service --lines=20 --no-pager']);
  });
});

describe.each(['darwin', 'linux'] as const)('on %s', (platform) => {
  it('print shows the file and changes nothing', async () => {
    const { run, managed, home, root, out } = serviceScene(platform);
    rmSync(root, { recursive: true });
    expect(await run('print')).toBe(0);
    expect(out.join('\n')).toContain('launch.js');
    expect(managed()).toEqual([]);
    expect([existsSync(plist(home)), existsSync(unit(home)), existsSync(root)]).toEqual([false, false, false]);
  });

  it('install beside a system that runs by hand says what to end, and a later install does not', async () => {
    const { run, root, err } = serviceScene(platform);
    const record = { edge_url: 'http://127.0.0.1:8787', agent_url: null, node_id: 'mini', version: '1' };
    writeSystemRecord(root, { ...record, ...ownProcess() });
    const hint = `${root} runs already, outside the service: end that with Ctrl-C in its terminal, and the service takes over within 10 s`;
    await run('install', {}, { isAlive: () => true });
    expect(err.filter((line) => line === hint)).toHaveLength(1);
    await run('install', {}, { isAlive: () => true });
    expect(err.filter((line) => line === hint)).toHaveLength(1);
  });

  it('no secret of this call is in the file, and a service that would lack its token is refused', async () => {
    const { run, out, deps, managed } = serviceScene(platform);
    const env = { ...deps.env, BAA_SHARED_TOKEN: 'node-secret' };
    await run('print', {}, { env });
    expect(out.join('\n')).not.toMatch(/secret/);
    await expect(run('install', {}, { env })).rejects.toThrow(/BAA_SHARED_TOKEN.*shared\.token/);
    expect(managed()).toEqual([]);
  });

  it('an install that names no setting keeps those of the installed service, and one that names some changes them', async () => {
    const { run, home } = serviceScene(platform);
    const written = () => readFileSync(platform === 'darwin' ? plist(home) : unit(home), 'utf8');
    await run('install', { role: 'primary', preferred: true });
    const first = written();
    expect(first).toMatch(/BAA_CONDUCTOR_ROLE.*primary/s);
    await run('install');
    expect(written()).toBe(first);
    await run('install', { role: 'standby' });
    expect(written()).toMatch(/BAA_CONDUCTOR_ROLE.*standby/s);
    expect(written()).toContain('BAA_CONDUCTOR_PREFERRED');
  });

  it('install refuses to take the service away from another root', async () => {
    const { run, root } = serviceScene(platform);
    await run('install');
    await expect(run('install', { root: `${root}-2` })).rejects.toThrow(`runs the root ${root}, and there is only one`);
    await expect(run('restart', { root: `${root}-2` })).rejects.toThrow(`runs the root ${root}, not ${root}-2`);
  });

  it('stop lets the node give its work up before it stops the service, and then ends the drain', async () => {
    const { run, managed, calls } = serviceScene(platform, edge(false));
    await run('install');
    managed();
    expect(await run('stop')).toBe(0);
    expect(drains(calls)).toEqual([{ on: true, reason: 'its service is stopped' }, { on: false }]);
    expect(managed().length).toBeGreaterThan(0);
  });

  it('stop keeps a drain that a person had begun', async () => {
    const { run, calls } = serviceScene(platform, edge(true));
    await run('install');
    await run('stop');
    expect(drains(calls)).toEqual([{ on: true, reason: 'its service is stopped' }]);
  });

  it('stop of a whole system leaves the end of the drain to its next start', async () => {
    const { run, root, calls, deps } = serviceScene(platform, edge(false));
    mkdirSync(join(root, 'edge'));
    writeFileSync(join(root, 'edge/bootstrap.token'), 'secret');
    const env = { ...deps.env, BAA_CONTROL_API_BASE: 'http://127.0.0.1:8787' };
    await run('install', {}, { env });
    expect(await run('stop', {}, { env })).toBe(0);
    expect(drains(calls)).toEqual([{ on: true, reason: 'its service is stopped' }]);
    expect(readFileSync(join(root, 'state/drained-for-stop'), 'utf8')).toBe('mini\n');
  });

  it('stop stops nothing while the work cannot be moved, and names the way without', async () => {
    const { run, managed, stderr } = serviceScene(platform, () => {
      throw new Error('the edge is away');
    });
    await run('install');
    managed();
    expect(await run('stop')).toBe(1);
    expect(managed()).toEqual([]);
    expect(stderr()).toContain('the work of this node was not moved: the edge is away');
    expect(stderr()).toContain('"service stop --now" stops it without moving its work');
  });

  it('status succeeds while the service runs, and says what of its file is out of date', async () => {
    const { run, out, err, host, home } = serviceScene(platform);
    expect(await run('status')).toBe(1);
    expect(out[0]).toContain('no service is installed');
    await run('install', { role: 'primary' });
    err.length = 0;
    expect(await run('status')).toBe(0);
    expect(err).toEqual([]);
    expect(out.join('\n')).toContain('process 4242');
    const file = platform === 'darwin' ? plist(home) : unit(home);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('launch.js', 'gone.js'));
    await run('status');
    expect(err.join('\n')).toContain(
      `its program ${join(host.program, 'local-agent/stack/gone.js')} is no longer there`,
    );
  });

  it('status says of a service that ends again and again that it fails', async () => {
    const { run, out, bin } = serviceScene(platform);
    await run('install');
    const [name, said] =
      platform === 'darwin'
        ? ['launchctl', 'state = spawn scheduled']
        : [
            'systemctl',
            'LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nMainPID=0\nUnitFileState=enabled',
          ];
    writeFileSync(join(bin, name), `#!/bin/sh\necho '${said}'\n`);
    expect(await run('status', { json: true })).toBe(1);
    expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({ loaded: { loaded: true, running: false, fails: true } });
  });

  it('a manager that is not there is named, and no file is left', async () => {
    const { run, bin, home } = serviceScene(platform);
    for (const name of ['launchctl', 'systemctl']) rmSync(join(bin, name));
    await expect(run('install')).rejects.toThrow(/^(launchctl|systemctl) is not installed on this machine/);
    expect([existsSync(plist(home)), existsSync(unit(home))]).toEqual([false, false]);
  });

  it('what the manager says when it refuses is shown, and the file of before is kept', async () => {
    const { run, bin, home } = serviceScene(platform);
    await run('install');
    const file = platform === 'darwin' ? plist(home) : unit(home);
    const before = readFileSync(file, 'utf8');
    for (const name of ['launchctl', 'systemctl'])
      writeFileSync(join(bin, name), '#!/bin/sh\necho "Failed to connect to bus: No medium found" >&2\nexit 1\n');
    await expect(run('install', { role: 'primary' })).rejects.toThrow('Failed to connect to bus: No medium found');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});
