/** Steps of coding agents at a node: programs that print what the real ones do. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AgentSettingsSchema } from '../../../../local-agent/config/agent-settings.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';

const SESSION = '3f0e0c3e-1111-4222-8333-444455556666';

/** A node with one agent of that dialect, a script of the shell, whose arguments are in `called`. */
async function openWithAgent(dialect: 'claude' | 'codex', script: string) {
  const scene = await openRunsScene();
  const program = join(scene.root, dialect);
  writeFileSync(program, `#!/bin/sh\necho "$@" >> ${join(scene.root, 'called')}\n${script}\n`, { mode: 0o755 });
  const agents = { [dialect]: AgentSettingsSchema.parse({ command: program, dialect }) };
  const previous = (session_id: string | null) => {
    const before = { run_id: `run_${'1'.repeat(26)}`, controller_id: 'mini-main', status: 'lost' as const };
    return { ...before, error_code: null, session_id };
  };
  const offer = (session_id: string | null) =>
    scene.offer({ kind: 'agent', input: { agent: dialect, prompt: 'Do it.' }, previous: previous(session_id) });
  return { ...scene, offer, open: (options = {}) => scene.open({ agents, ...options }) };
}

const line = (event: object) => `echo '${JSON.stringify(event)}'`;

describe('a coding agent that ends before its first event', () => {
  it.each(['claude', 'codex'] as const)(
    '(%s) names no session, so that the next attempt begins a new one',
    async (dialect) => {
      const { offer, open, ended } = await openWithAgent(dialect, 'echo "bad option" >&2; exit 1');
      const claim = offer(null);
      open();
      const { end, heartbeats } = await ended(claim);
      expect(end).toMatchObject({ status: 'failed', error_code: 'agent_ended_early', session_id: null });
      expect(heartbeats.filter(({ session_id }) => session_id !== undefined)).toEqual([]);
    },
  );
});

describe('a session that does not exist any more', () => {
  const text = `No conversation found with session ID: ${SESSION}`;
  const result = { type: 'result', subtype: 'error_during_execution', is_error: true, session_id: SESSION };
  it.each([
    ['claude', `${line({ ...result, errors: [text] })}; echo '${text}' >&2; exit 1`],
    ['codex', `echo 'Error: thread/resume failed: no rollout found for thread id ${SESSION}' >&2; exit 1`],
  ] as const)(
    '(%s) fails the attempt that resumes it, which reports none and says so in its events',
    async (dialect, script) => {
      const { offer, open, ended, file } = await openWithAgent(dialect, script);
      const claim = offer(SESSION);
      open();
      const { end, heartbeats } = await ended(claim);
      expect(file(claim, '../../../called')).toContain(SESSION);
      expect(end).toMatchObject({ status: 'failed', error_code: 'session_not_found', session_id: null });
      expect(heartbeats.filter(({ session_id }) => session_id !== undefined)).toEqual([]);
      expect(file(claim, 'worker.log')).toContain('the next attempt begins a new one');
    },
  );
});

describe('what a coding agent used', () => {
  const done = [
    { type: 'thread.started', thread_id: SESSION },
    { type: 'item.completed', item: { type: 'agent_message', text: 'Done.' } },
    { type: 'turn.completed', usage: { input_tokens: 3_000, output_tokens: 150 } },
  ];

  it('is the same when the store takes the end at the second try only', async () => {
    const { offer, open, ended } = await openWithAgent('codex', done.map(line).join('\n'));
    const claim = offer(SESSION);
    const { runs, store } = open();
    runs.noteSessionUsage(SESSION, { input_tokens: 1_000, output_tokens: 50 });
    const append = store.outbox.append.bind(store.outbox);
    let faults = 1;
    store.outbox.append = (entry) => {
      if (entry.kind === 'run_end' && faults-- > 0) throw new Error('the disk is full');
      return append(entry);
    };
    expect((await ended(claim)).end?.usage).toMatchObject({ input_tokens: 2_000, output_tokens: 100 });
    expect(faults).toBe(-1);
    expect(runs.sessionUsage(SESSION)).toMatchObject({ input_tokens: 3_000 });
  });
});
