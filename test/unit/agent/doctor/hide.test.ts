/** What a bug report leaves out. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bundleText } from '../../../../local-agent/doctor/bundle.ts';
import { hiderOf, safeLine } from '../../../../local-agent/doctor/hide.ts';
import { lastLines } from '../../../../local-agent/host/last-lines.ts';
import { StatusSchema } from '../../../../schema/contracts/status.ts';
import { status } from '../../../support/doctor-scene.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const hide = hiderOf({
  env: { OPENAI_API_KEY: 'value-of-a-key', PATH: '/usr/bin', LANG: 'token-of-no-secret' },
  secrets: ['the-operators-token\n', null, 'no'],
  home: '/home/mia',
});

describe('a text of a bug report', () => {
  it.each([
    ['a token of this system', 'got baa_abcdefghijklmnop_-x.', 'got [hidden].'],
    ['a known secret', 'x the-operators-token y', 'x [hidden] y'],
    ['the value of a variable with a secret name', 'echo value-of-a-key', 'echo [hidden]'],
    ['the value of another variable', 'token-of-no-secret in /usr/bin', 'token-of-no-secret in /usr/bin'],
    ['a header', 'Authorization: Bearer abc.def', 'Authorization: [hidden]'],
    ['a header as JSON', '{"authorization":"Basic YWJj","a":1}', '{"authorization":"[hidden]","a":1}'],
    ['a bearer token alone', 'sent bearer abcdef', 'sent bearer [hidden]'],
    ['a cookie', 'cookie: session=abc; other=def', 'cookie: [hidden]'],
    ['an address with a password', 'https://mia:pass@example.com/x', 'https://[hidden]@example.com/x'],
    ['a sign-in link', 'http://127.0.0.1:1/v1/session/link/abc_-def', 'http://127.0.0.1:1/v1/session/link/[hidden]'],
    ['an address with a token', '/x?api_key=abc&a=1', '/x?api_key=[hidden]&a=1'],
    ['a JSON web token', 'eyJhbGciOi.eyJzdWIiOi.c2ln', '[hidden]'],
    ['a key of a service', 'sk-abcdefghijklmnopqrstu', '[hidden]'],
    ['the home folder', '/home/mia/.baa/logs', '~/.baa/logs'],
    ['a word that is too short to be a secret', 'no', 'no'],
  ])('%s', (_case, text, expected) => {
    expect(hide(text)).toBe(expected);
  });

  it('a log line keeps its known fields, at any depth, and a stack keeps its text', () => {
    const line = {
      level: 50,
      msg: 'failed in /home/mia',
      text: 'what was said',
      err: { message: 'm', params: { a: 'said' } },
    };
    expect(safeLine(JSON.stringify(line), hide)).toEqual({ level: 50, msg: 'failed in ~', err: { message: 'm' } });
    expect(safeLine('Error: baa_abcdefghijklmnop', hide)).toBe('Error: [hidden]');
  });

  it('the newest lines of several files come in their order', () => {
    const folder = tempDir();
    for (const [n, text] of ['a\nb\n', 'c\nd\n'].entries()) writeFileSync(`${folder}/agent.${n}.log`, text);
    writeFileSync(`${folder}/edge.0.log`, 'e\n');
    expect(lastLines(folder, 'agent', 3)).toEqual(['b', 'c', 'd']);
    expect(lastLines('/no/such', 'agent', 3)).toEqual([]);
  });
});

describe('the file of diagnostics', () => {
  it('it has no text that a chat has filled', () => {
    const seen = StatusSchema.parse(status());
    const run = {
      run_id: 'run_1',
      task_id: 't',
      step_id: 's',
      step_name: 'said',
      task_title: 'said',
      status: 'running',
      progress: 'said',
      created_at: 1,
    };
    const [node] = seen.nodes;
    const text = bundleText(
      {
        madeAt: 1,
        version: '1',
        node: '24',
        platform: { system: 'linux' },
        settings: {},
        doctor: { root: '/home/mia/.baa', version: '1', checks: [], errors: 0, warnings: 0, notes: 0, skipped: 0 },
        status: StatusSchema.parse({
          ...seen,
          system: { ...seen.system, reason: 'said' },
          nodes: [{ ...node, metadata: { note: 'said' }, live_runs: [run] }],
        }),
        agent: { identity: { pid: 1 }, recent: 'said' },
        logs: { agent: [JSON.stringify({ msg: 'm', text: 'said' })] },
      },
      hide,
    );
    expect(text).not.toContain('said"');
    expect(JSON.parse(text)).toMatchObject({
      edge: { nodes: [{ controller_id: 'mini-main', live_runs: [{ run_id: 'run_1' }] }] },
      agent: { identity: { pid: 1 } },
      doctor: { root: '~/.baa' },
      logs: { agent: [{ msg: 'm' }] },
    });
  });
});
