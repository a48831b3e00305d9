/** `diagnostics`: the file for a bug report has the end of every log of the host, and no secret of its files. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, matchesGlob } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { REPOSITORY } from '../../../../local-agent/stack/layout.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

it('has the last lines of agent, edge, ticks and service, and where a process hung, without the secrets of the root', async () => {
  const root = tempDir();
  const secret = 'the-next-secret-of-this-test';
  const files = {
    'logs/agent.1.log': '{"msg":"of the agent"}\n',
    'logs/edge.1.log': '{"msg":"of the edge"}\n',
    'logs/timed-jobs/2026-10-26.jsonl': '{"stage":"of a tick"}\n',
    'logs/service.log.1': 'of the service, before\n',
    'logs/service.log': `of the service, now ${secret}\n`,
    'logs/hung.log': 'the agent has hung\n    at f (a.ts:1)\n',
    'edge/hung.log': 'the edge has hung\n',
    'state/deploy/bootstrap.token.next': `${secret}\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  let written = '';
  const { deps } = commandWorld(() => ({}), {
    writeNewFile: (_path, text) => {
      written = text;
    },
    env: {},
  });
  expect(await runCli(['diagnostics', '--root', root], deps)).toBe(0);
  expect(written).not.toContain(secret);
  expect(JSON.parse(written)).toMatchObject({
    logs: {
      agent: [{ msg: 'of the agent' }],
      edge: [{ msg: 'of the edge' }],
      ticks: [{ stage: 'of a tick' }],
      service: ['of the service, before', 'of the service, now [hidden]'],
      hung: ['the agent has hung', '    at f (a.ts:1)', 'the edge has hung'],
    },
  });
});

it('has a name of its own in the current folder, which git ignores in a clone of the program', async () => {
  const paths: string[] = [];
  const { deps } = commandWorld(() => ({}), { writeNewFile: (path) => void paths.push(path), env: {} });
  expect(await runCli(['diagnostics', '--root', tempDir()], deps)).toBe(0);
  const ignored = readFileSync(join(REPOSITORY, '.gitignore'), 'utf8').split('\n');
  expect(paths.map((path) => ignored.filter((line) => matchesGlob(basename(path), line)))).toEqual([
    ['conductor-diagnostics-*.json'],
  ]);
});

/** The journal in the file, of a host whose `journalctl` is that program; null: it has none. */
async function journalWith(program: string | null, { installed = true } = {}): Promise<unknown> {
  const folder = tempDir();
  const unit = join(folder, 'config/systemd/user/baa-conductor.service');
  mkdirSync(join(unit, '..'), { recursive: true });
  if (installed) writeFileSync(unit, '[Service]\n');
  mkdirSync(join(folder, 'bin'));
  if (program !== null) {
    writeFileSync(join(folder, 'bin/journalctl'), `#!/bin/sh\n${program}\n`);
    chmodSync(join(folder, 'bin/journalctl'), 0o755);
  }
  let written = '';
  const { deps } = commandWorld(() => ({}), {
    writeNewFile: (_path, text) => {
      written = text;
    },
    env: { PATH: join(folder, 'bin'), XDG_CONFIG_HOME: join(folder, 'config'), MY_TOKEN: 'planted-secret' },
  });
  expect(await runCli(['diagnostics', '--root', join(folder, 'root')], deps)).toBe(0);
  return JSON.parse(written).logs.journal;
}

const entry = (message: unknown) =>
  JSON.stringify({ __REALTIME_TIMESTAMP: '1800000000000000', MESSAGE: message, _HOSTNAME: 'h' });

describe.runIf(process.platform === 'linux')("systemd's journal of the service", () => {
  it('is in the file with its times, the newest lines of it, without secrets and what a chat has said', async () => {
    const said = JSON.stringify({ msg: 'of the agent', text: 'said in a chat' });
    const lines = [
      entry('Failed at step EXEC spawning /old/node: No such file or directory'),
      entry('it has planted-secret'),
      entry([0x1b, 0x5b, 0x6d, 0xc3, 0xa9]),
      entry(null),
      entry(said),
    ];
    const printed = lines.map((line) => `echo '${line}'`).join('\n');
    expect(await journalWith(`case "$*" in *--lines=300*) ;; *) exit 1 ;; esac\n${printed}`)).toEqual([
      '2027-01-15T08:00:00.000Z Failed at step EXEC spawning /old/node: No such file or directory',
      '2027-01-15T08:00:00.000Z it has [hidden]',
      '2027-01-15T08:00:00.000Z \u001b[mé',
      '2027-01-15T08:00:00.000Z (too long)',
      { msg: 'of the agent' },
    ]);
  });

  it.each([
    ['journalctl is missing', null, 'no journal: journalctl is not installed on this machine'],
    [
      'this person may not read it',
      'echo "Hint: you see no messages" >&2; echo "No journal files were opened due to insufficient permissions." >&2; exit 1',
      'no journal: No journal files were opened due to insufficient permissions.',
    ],
    ['it is empty', 'true', 'no journal: it has no line of baa-conductor.service'],
  ])('has a word in its place when %s', async (_why, program, word) => {
    expect(await journalWith(program)).toEqual([word]);
  });

  it('is not asked for without a service', async () => {
    expect(await journalWith('exit 1', { installed: false })).toEqual(['no journal: no service is installed']);
  });
});
