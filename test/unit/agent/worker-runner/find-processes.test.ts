import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  findProcesses,
  findProcessesNow,
  parseProcessList,
} from '../../../../local-agent/worker-runner/find-processes.ts';

describe('the processes of a program', () => {
  it('are found by their group or by a variable of their environment, and by nothing else', async () => {
    const env = { PATH: process.env.PATH, MARK: 'one' };
    const child = spawn('sleep', ['600'], { detached: true, env, stdio: 'ignore' });
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const idsOf = async (groupId: number | null, variable: string) =>
      (await findProcesses({ groupId, variable })).map((one) => one.pid);
    expect(await idsOf(pid, 'MARK=other')).toEqual([pid]);
    expect(await idsOf(null, 'MARK=one')).toEqual([pid]);
    expect(await idsOf(null, 'MARK=on')).toEqual([]);
    expect(await idsOf(null, 'ARK=one')).toEqual([]);
    expect(findProcessesNow({ groupId: null, variable: 'MARK=one' })).toEqual([{ pid, command: 'sleep 600' }]);
    process.kill(pid, 'SIGKILL');
    await once(child, 'exit');
    expect(await idsOf(pid, 'MARK=one')).toEqual([]);
  });

  it('without a group and with an unknown mark are none, not those of the group 0', async () => {
    expect(await findProcesses({ groupId: null, variable: 'MARK=nobody-has-this' })).toEqual([]);
    expect(findProcessesNow({ groupId: null, variable: 'MARK=nobody-has-this' })).toEqual([]);
  });

  it('are read from the list of ps, where the environment follows the command', () => {
    const list = [
      '  101   101 Ss   /usr/bin/server --port 1 PATH=/bin MARK=one HOME=/',
      '  102   900 S+   /bin/sh -c x HOME=/ MARK=one',
      '  103   700 Z    (defunct) MARK=one',
      '  104   104 S    grep MARK=other',
      '  105   105 S    editor XMARK=one',
      '  106     0 S    kernel',
    ].join('\n');
    expect(parseProcessList(list, { groupId: null, variable: 'MARK=one' })).toEqual([
      { pid: 101, command: '/usr/bin/server --port 1' },
      { pid: 102, command: '/bin/sh -c x' },
    ]);
    expect(parseProcessList(list, { groupId: 104, variable: 'MARK=none' })).toEqual([{ pid: 104, command: 'grep' }]);
  });
});
