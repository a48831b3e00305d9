/** Steps that go wrong: much output, a full disk, a repository that vanishes, logs with anything in them. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AgentSettingsSchema } from '../../../../local-agent/config/agent-settings.ts';
import { readState } from '../../../../local-agent/runs/state-file.ts';
import { RUN } from '../../../../schema/defaults.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';

const MIB = 1024 * 1024;

describe('a step with unusual output', () => {
  it('of a hundred MiB costs the agent little memory, and the edge gets its beginning and its end', async () => {
    const { offer, open, ended, folderOf } = await openRunsScene();
    const bytes = 100 * MIB;
    const claim = offer({ input: { script: `head -c ${bytes} /dev/zero | tr '\\0' 'x'; printf 'the end'` } });
    const before = process.memoryUsage().rss;
    open();
    const run = await ended(claim);
    expect(statSync(join(folderOf(claim), 'stdout.log')).size).toBe(bytes + 7);
    expect(run.logs.stdout.length).toBeLessThanOrEqual(RUN.log_head_bytes + 20 * RUN.log_tail_bytes);
    expect(run.text('stdout').endsWith('the end')).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(80 * MIB);
  });

  it('with invalid UTF-8 and without a newline arrives byte for byte', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ input: { script: String.raw`printf '\377\376\000end'` } });
    open();
    expect((await ended(claim)).logs.stdout).toEqual(Buffer.from('\xff\xfe\x00end', 'latin1'));
  });
});

describe('a step whose host cannot continue it', () => {
  it('fails when its program is missing, and says where programs are looked up', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ input: { argv: ['no-such-program'] } });
    open();
    expect((await ended(claim)).end).toMatchObject({ status: 'failed', error_code: 'program_not_found' });
  });

  it('fails when its coding agent is not configured', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ kind: 'agent', input: { agent: 'codex' } });
    open({ agents: { other: AgentSettingsSchema.parse({ command: 'true' }) } });
    expect((await ended(claim)).end).toMatchObject({
      status: 'failed',
      error_code: 'agent_not_configured',
      final: true,
    });
  });

  it('fails a kind that it does not know', async () => {
    const { offer, open, ended, folderOf } = await openRunsScene();
    const claim = offer({ kind: 'deploy', input: {} });
    open();
    expect((await ended(claim)).end).toMatchObject({
      status: 'failed',
      error_code: 'unsupported_step_kind',
      final: true,
    });
    expect(readState(folderOf(claim))?.status).toBe('failed');
  });

  it('waits for a person in a review, with what has changed', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ kind: 'review', input: { question: 'Ship it?' } });
    open();
    expect((await ended(claim)).end).toMatchObject({
      status: 'blocked',
      error_code: 'needs_human',
      summary: expect.stringContaining('Ship it?'),
    });
  });
});

describe('any other command as a coding agent', () => {
  it('gets the prompt, and its last lines are the summary', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ kind: 'agent', input: { agent: 'echo', prompt: 'Say hello.' } });
    open({ agents: { echo: AgentSettingsSchema.parse({ command: '/bin/cat' }) } });
    expect((await ended(claim)).end).toMatchObject({ status: 'succeeded', summary: 'Say hello.' });
  });
});
