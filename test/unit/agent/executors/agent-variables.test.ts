import { describe, expect, it } from 'vitest';
import { AgentSettingsSchema } from '../../../../local-agent/config/agent-settings.ts';
import type { VariableSources } from '../../../../local-agent/executors/agent-variables.ts';
import { agentVariables, parseEnvFile } from '../../../../local-agent/executors/agent-variables.ts';

function variables(settings: object, sources: Partial<VariableSources> = {}) {
  const none = { env: {}, readFile: () => null, permissionsOf: () => null };
  return agentVariables(AgentSettingsSchema.parse({ command: 'x', ...settings }), { ...none, ...sources });
}

describe('the variables of a coding agent', () => {
  it('are those of its configuration, and of all others only the named ones', () => {
    const env = { OPENAI_API_KEY: 'sk-1', BAA_SHARED_TOKEN: 'never' };
    expect(variables({ env: { CODEX_HOME: '/h' }, env_from: ['OPENAI_API_KEY'] }, { env })).toEqual({
      env: { CODEX_HOME: '/h', OPENAI_API_KEY: 'sk-1' },
      secretNames: ['OPENAI_API_KEY'],
    });
  });

  it('that the agent does not have are a problem that names them', () => {
    expect(variables({ env_from: ['OPENAI_API_KEY'] })).toEqual({ problem: expect.stringContaining('OPENAI_API_KEY') });
  });

  it('of a file that others can read are refused', () => {
    const sources = { readFile: () => 'KEY=1', permissionsOf: () => 0o644 };
    expect(variables({ env_file: '/k' }, sources)).toEqual({ problem: expect.stringContaining('chmod 600 /k') });
    expect(variables({ env_file: '/k' }, { ...sources, permissionsOf: () => 0o600 })).toMatchObject({
      env: { KEY: '1' },
    });
  });

  it('of a file may be quoted and exported, and comments are left out', () => {
    expect(parseEnvFile('# key\nexport A="x y"\nB=\'z\'\r\nC=1=2\n\nnonsense\n')).toEqual({
      A: 'x y',
      B: 'z',
      C: '1=2',
    });
  });
});
