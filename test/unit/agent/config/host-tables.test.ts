import { describe, expect, it } from 'vitest';
import { readHostTables } from '../../../../local-agent/config/resolve.ts';

const read = (text: string | null) =>
  readHostTables('/srv/baa', (path) => (path === '/srv/baa/config.toml' ? text : null));

describe('the tables of config.toml', () => {
  it('name the repositories and the coding agents of a host', () => {
    const { repos, agents } = read(`
      lease_ttl_sec = 30
      [repos]
      app = "/src/app"
      [agents.codex]
      command = "codex"
      dialect = "codex"
      env_from = ["OPENAI_API_KEY"]
    `);
    expect(repos).toEqual({ app: '/src/app' });
    expect(agents).toEqual({ codex: { command: 'codex', dialect: 'codex', env: {}, env_from: ['OPENAI_API_KEY'] } });
  });

  it('may be absent', () => {
    expect(read(null)).toEqual({ repos: {}, agents: {} });
  });

  it.each([
    ['[repos]\n"../up" = "/src"', /repos/],
    ['[agents.codex]\ndialect = "codex"', /agents\.codex\.command/],
    ['[agents.codex]\ncommand = "codex"\ndialect = "codecs"', /agents\.codex\.dialect/],
    ['[agents.codex]\ncommand = "codex"\nenviron = 1', /agents\.codex/],
  ])('are refused with the name of the field: %s', (text, field) => {
    expect(() => read(text)).toThrow(field);
  });
});
