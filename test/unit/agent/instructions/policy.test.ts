import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argvMatches, judge } from '../../../../local-agent/policy/policy.ts';
import { PLATFORM_IDS } from '../../../../schema/contracts/common.ts';
import { PolicySchema, RULE_DECISIONS } from '../../../../schema/contracts/policy.ts';
import type { ToolName } from '../../../../schema/contracts/tools.ts';
import { TOOL_NAMES } from '../../../../schema/contracts/tools.ts';
import { POLICY_SCHEMA_FILE, policyJsonSchema } from './policy-schema.ts';

const verdict = (policy: unknown, name: ToolName, params: Record<string, unknown> = {}) =>
  judge(PolicySchema.parse(policy), { name, params, platform: 'chatgpt' });
const exec = (policy: unknown, params: Record<string, unknown>) => verdict({ exec: policy }, 'conductor::exec', params);

describe('without a file', () => {
  it.each([
    ['conductor::files/write', 'allow'],
    ['conductor::files/read', 'allow'],
    ['conductor::describe', 'allow'],
    ['conductor::system/pause', 'control'],
    ['conductor::conversation/mode', 'control'],
  ] as const)('%s: %s', (name, decision) => {
    expect(verdict({}, name)).toEqual({ decision, rule: 'default' });
  });

  it('exec asks, by argv and by the shell', () => {
    expect(exec({}, { argv: ['ls'] })).toEqual({ decision: 'ask', rule: 'exec.default' });
    expect(exec({}, { command: 'ls' })).toEqual({ decision: 'ask', rule: 'exec.shell' });
  });
});

describe('exec rules', () => {
  const rules = [
    { match: { argv: ['git', 'push', '*'] }, decision: 'deny' },
    { match: { argv: ['git', '*'] }, decision: 'allow' },
    { match: { argv: ['cat', '*', 'x'] }, decision: 'allow' },
  ];

  it('decide in their order, and name themselves', () => {
    expect(exec({ rules }, { argv: ['git', 'push', '-f'] })).toEqual({ decision: 'deny', rule: 'exec.rules[0]' });
    expect(exec({ rules }, { argv: ['git', 'status'] })).toEqual({ decision: 'allow', rule: 'exec.rules[1]' });
    expect(exec({ rules }, { argv: ['gitk'] }).rule).toBe('exec.default');
  });

  it('do not vouch for variables, which change what an argv runs', () => {
    const params = { argv: ['git', 'status'], env: { PATH: '/tmp' } };
    expect(exec({ rules }, params)).toEqual({ decision: 'ask', rule: 'exec.rules[1] with env' });
    expect(exec({ rules, default: 'allow' }, params).decision).toBe('allow');
  });

  it('never speak for the shell, which is a right of its own', () => {
    expect(exec({ rules, default: 'allow' }, { command: 'git status' })).toEqual({
      decision: 'ask',
      rule: 'exec.shell',
    });
  });

  it.each([
    [['a', '*'], ['a'], true],
    [['a', '*'], ['a', 'b', 'c'], true],
    [['a', '*', 'c'], ['a', 'b', 'c'], true],
    [['a', '*', 'c'], ['a', 'b', 'b', 'c'], false],
    [['a'], ['a', 'b'], false],
    [['a', 'b'], ['a'], false],
    [['*.txt'], ['a.txt'], false],
  ])('%j on %j: %s', (pattern, argv, matches) => {
    expect(argvMatches(pattern, argv)).toBe(matches);
  });
});

describe('tools and platforms', () => {
  it('an exact name decides before a glob, of globs the strictest', () => {
    const tools = { 'files/*': 'deny', 'files/read': 'allow' };
    expect(verdict({ tools }, 'conductor::files/read').decision).toBe('allow');
    expect(verdict({ tools }, 'conductor::files/write')).toEqual({ decision: 'deny', rule: 'tools["files/*"]' });
    expect(verdict({ tools: { '*': 'allow', 'files/*': 'ask' } }, 'conductor::files/read').decision).toBe('ask');
  });

  it('a star means every tool, at any depth', () => {
    for (const name of TOOL_NAMES) expect(verdict({ tools: { '*': 'deny' } }, name).decision).toBe('deny');
  });

  it('control tools pass unless they are denied or asked for', () => {
    expect(verdict({ tools: { 'system/*': 'deny' } }, 'conductor::system/resume').decision).toBe('deny');
    expect(verdict({ tools: { 'system/*': 'ask' } }, 'conductor::system/resume').decision).toBe('ask');
    expect(verdict({ tools: { 'system/*': 'allow' } }, 'conductor::system/resume').decision).toBe('control');
  });

  it('a platform that is denied is denied for every tool', () => {
    const policy = PolicySchema.parse({ platforms: { gemini: 'deny' } });
    for (const name of TOOL_NAMES) {
      const on = (platform: 'gemini' | 'claude') => judge(policy, { name, params: { argv: ['x'] }, platform }).decision;
      expect(on('gemini')).toBe('deny');
      expect(on('claude')).not.toBe('deny');
    }
  });

  it('no part loosens what another forbids', () => {
    const decision = fc.constantFrom(...RULE_DECISIONS);
    const policy = fc.record({
      exec: fc.record({ default: decision, shell: decision }),
      tools: fc.dictionary(fc.constantFrom('*', 'exec', 'files/*', 'files/write', 'system/*'), decision),
      platforms: fc.dictionary(fc.constantFrom(...PLATFORM_IDS), decision),
    });
    fc.assert(
      fc.property(policy, fc.constantFrom(...TOOL_NAMES), (loose, name) => {
        const call = { name, params: { argv: ['x'] }, platform: 'chatgpt' } as const;
        const stricter = PolicySchema.parse({ ...loose, platforms: { ...loose.platforms, chatgpt: 'deny' } });
        expect(judge(stricter, call).decision).toBe('deny');
        const platformAllows = PolicySchema.parse({ ...loose, platforms: { chatgpt: 'allow' } });
        const platformSilent = PolicySchema.parse({ ...loose, platforms: {} });
        expect(judge(platformAllows, call).decision).toBe(judge(platformSilent, call).decision);
      }),
    );
  });
});

describe('modes', () => {
  it('shadow runs nothing, not even control tools, and still denies', () => {
    for (const name of TOOL_NAMES) {
      expect(verdict({ mode: 'shadow' }, name, { argv: ['x'] })).toEqual({ decision: 'shadow', rule: 'mode' });
    }
    expect(verdict({ mode: 'shadow', tools: { exec: 'deny' } }, 'conductor::exec', { argv: ['x'] }).decision).toBe(
      'deny',
    );
  });

  it('a file that never could be read denies everything', () => {
    for (const name of TOOL_NAMES) expect(judge(null, { name, params: {}, platform: 'claude' }).decision).toBe('deny');
  });
});

describe('docs/policy.schema.json', () => {
  it('is what the contract says', () => {
    expect(JSON.parse(readFileSync(POLICY_SCHEMA_FILE, 'utf8'))).toEqual(policyJsonSchema());
  });
});
