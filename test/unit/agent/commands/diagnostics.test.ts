/** `diagnostics`: the file for a bug report has the end of every log of the host, and no secret of its files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
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
