/** `npm start` and the settings of its edge: from options, variables and config.toml to the variables of the Worker. */
import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { settingsOf, stackOptions } from '../../../../local-agent/stack/start-options.ts';
import { EDGE_SETTINGS } from '../../../../schema/contracts/edge-settings.ts';
import { settings } from '../../../../workers/settings.ts';

const FLAGS = { port: 0, agentPort: 0, root: '/srv/baa', agent: true };

function varsOf(flags: object, env: Record<string, string> = {}, toml: string | null = null) {
  const readFile = (path: string) => (path === '/srv/baa/config.toml' ? toml : null);
  const all = { ...FLAGS, ...flags };
  return stackOptions(all, settingsOf(all, env, readFile)).vars;
}

describe('npm start in a root whose config.toml', () => {
  const optionsOf = (toml: string, env = {}) =>
    stackOptions(
      FLAGS,
      settingsOf(FLAGS, env, (path) => (path.endsWith('config.toml') ? toml : null)),
    );

  it.each([
    ['state_dir = "/other"', {}, 'state_dir in config.toml: /other'],
    ['', { BAA_STATE_DIR: '/other' }, 'BAA_STATE_DIR: /other'],
  ])('parts its state from it is refused: %s %j', (toml, env, said) => {
    expect(() => optionsOf(toml, env)).toThrow(
      `${said}: npm start keeps its state in /srv/baa/state and nowhere else; remove that setting`,
    );
  });

  it('names its own state folder starts', () => {
    expect(optionsOf('state_dir = "/srv/baa/state"').root).toBe('/srv/baa');
  });

  it('names a folder for logs has the log of the edge there too', () => {
    expect(optionsOf('logs_dir = "/var/log/baa"').logsDir).toBe('/var/log/baa');
  });
});

describe('the edge of npm start', () => {
  it('has what an option says, else a variable, else config.toml', () => {
    const toml = 'timed_jobs_interval_ms = 1\ninstruction_max_age_ms = 2\ntimed_jobs_max_tasks_per_tick = 3\n';
    const env = { BAA_TIMED_JOBS_INTERVAL_MS: '4', BAA_INSTRUCTION_MAX_AGE_MS: '5' };
    expect(varsOf({ timedJobsIntervalMs: '6' }, env, toml)).toEqual({
      BAA_TIMED_JOBS_INTERVAL_MS: '6',
      BAA_INSTRUCTION_MAX_AGE_MS: '5',
      BAA_TIMED_JOBS_MAX_TASKS_PER_TICK: '3',
    });
  });

  it('has what wrangler.toml says when nothing else does', () => {
    expect(varsOf({})).toEqual({});
  });

  it.each([
    [{ timedJobsIntervalMs: 'soon' }, {}, '--timed-jobs-interval-ms: a whole number'],
    [{}, { BAA_INSTRUCTION_MAX_AGE_MS: '-1' }, 'BAA_INSTRUCTION_MAX_AGE_MS: .*>=0.*, got "-1"'],
    [{}, { BAA_TEXTS_KEPT_DAYS: '31' }, 'BAA_TEXTS_KEPT_DAYS: .*a value that its description names'],
    [{}, { BAA_TIMED_JOBS_MAX_MESSAGES_PER_TICK: '0' }, 'BAA_TIMED_JOBS_MAX_MESSAGES_PER_TICK: .*>=1'],
  ])('refuses %j %j and names the source', (flags, env, problem) => {
    expect(() => varsOf(flags, env as Record<string, string>)).toThrow(new RegExp(problem));
  });

  it('names variables that the Worker reads, and wrangler.toml has their defaults', () => {
    const toml = parse(readFileSync('wrangler.toml', 'utf8')) as { vars: Record<string, string> };
    for (const { env, fallback } of Object.values(EDGE_SETTINGS)) {
      expect(toml.vars[env]).toBe(String(fallback));
      const value = env === 'BAA_TEXTS_KEPT_DAYS' ? 30 : 77;
      expect(Object.values(settings({ [env]: String(value) }))).toContain(value);
    }
  });
});
