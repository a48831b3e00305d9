import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AgentSettingsSchema } from '../../../../local-agent/config/agent-settings.ts';
import { readState } from '../../../../local-agent/runs/state-file.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { until } from '../../../support/until.ts';

describe('a coding agent whose output was read while it ran', () => {
  it('has each part of its answer once in the summary', async () => {
    const { offer, open, ended, folderOf, root } = await openRunsScene();
    const gate = join(root, 'gate');
    const line = (event: object) => `printf '%s\\n' '${JSON.stringify(event)}'\n`;
    const script = [
      line({ type: 'message', role: 'assistant', content: 'Hello ', delta: true }),
      line({ type: 'message', role: 'assistant', content: 'there.', delta: true }),
      `while [ ! -e ${gate} ]; do sleep 0.05; done\n`,
      line({ type: 'result', status: 'success' }),
    ];
    const command = join(root, 'fake-gemini');
    writeFileSync(command, `#!/bin/sh\n${script.join('')}`, { mode: 0o755 });
    const claim = offer({ kind: 'agent', input: { agent: 'gemini', prompt: 'Greet.' } });
    open({ agents: { gemini: AgentSettingsSchema.parse({ command, dialect: 'gemini' }) } });
    await until(() => readState(folderOf(claim))?.summary === 'writes');
    writeFileSync(gate, '');
    expect((await ended(claim)).end).toMatchObject({ status: 'succeeded', summary: 'Hello there.' });
  });
});

/** Runs a test step without a command in the folder that `script` has made. */
async function testIn(script: string) {
  const { offer, open, ended } = await openRunsScene();
  const prepare = offer({ input: { script } });
  const { nodeRuns } = open();
  await ended(prepare);
  const { task_id, step_id, run_id, kind, name } = prepare;
  const outputs = [{ step_id, run_id, kind, name, status: 'done', summary: null }];
  const claim = offer({ task_id, kind: 'test', input: {}, outputs });
  nodeRuns.wake();
  return (await ended(claim)).end;
}

describe('a test step', () => {
  it('counts what it printed long before its end', async () => {
    const { offer, open, ended } = await openRunsScene();
    const much = 'seq 100000';
    const script = `echo "test result: ok. 5 passed; 0 failed"; ${much}; printf "test result: ok. 2 passed; 0 failed"`;
    const claim = offer({ kind: 'test', input: { script } });
    open();
    expect((await ended(claim)).end).toMatchObject({ status: 'succeeded', summary: '7 passed, 0 failed' });
  });

  it.each([
    ['no build file', 'true'],
    ['a package.json without tests', `echo '{"scripts":{"start":"x"}}' > package.json`],
    ['a Makefile without tests', String.raw`printf 'all:\n\ttrue\n' > Makefile`],
    ['a Makefile beside a folder of tests', String.raw`mkdir test; printf 'all:\n\ttrue\n' > Makefile`],
    ['a Makefile beside a program of tests', String.raw`echo false > test.sh; printf 'all:\n\ttrue\n' > Makefile`],
  ])(
    'without a command, in a folder with %s, says that nothing was tested and lets the task continue',
    async (_what, script) => {
      expect(await testIn(script)).toMatchObject({
        status: 'succeeded',
        summary: expect.stringContaining('nothing was tested: no test command is known'),
      });
    },
  );

  const RUNS = String.raw`test:\n\t@echo 4 passed in 1s; exit 3\n`;
  it.each([
    ['the target', `printf '${RUNS}' > Makefile`],
    ['the target beside another one', `printf 'check ${RUNS}' > GNUmakefile`],
    ['the target in a file that it includes', `printf '${RUNS}' > rules.mk; echo 'include rules.mk' > Makefile`],
  ])('without a command runs that of a Makefile with %s', async (_what, script) => {
    expect(await testIn(script)).toMatchObject({
      status: 'failed',
      error_text: expect.stringContaining('4 passed'),
    });
  });

  it.each([
    ['includes what is missing', `echo 'include rules.mk' > Makefile`, 'rules.mk'],
    ['lacks what its tests need', String.raw`printf 'test: built\n\ttrue\n' > Makefile`, 'built'],
    [
      'takes a folder for the result of its tests',
      String.raw`mkdir test; printf 'test:\n\tfalse\n' > Makefile`,
      '.PHONY',
    ],
    ['has no commands for its tests', `echo test: > Makefile`, '.PHONY'],
  ])('without a command fails where the Makefile %s', async (_what, script, why) => {
    expect(await testIn(script)).toMatchObject({ status: 'failed', error_text: expect.stringContaining(why) });
  });

  it('whose report is a pipe does not hold up its node', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({
      kind: 'test',
      input: { script: 'mkfifo report.xml; echo "3 passed in 1s"', report: 'report.xml' },
    });
    open();
    expect((await ended(claim)).end).toMatchObject({ status: 'succeeded', summary: '3 passed, 0 failed' });
  });
});
