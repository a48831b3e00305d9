import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argvMatches, judge } from '../../../../local-agent/policy/policy.ts';
import { PLATFORM_IDS } from '../../../../schema/contracts/common.ts';
import { PolicySchema, RULE_DECISIONS } from '../../../../schema/contracts/policy.ts';
import type { ToolName } from '../../../../schema/contracts/tools.ts';
import { TOOL_NAMES } from '../../../../schema/contracts/tools.ts';
import { POLICY_SCHEMA_FILE, policyJsonSchema } from './policy-schema.ts';

function verdict(policy: unknown, name: ToolName, params: Record<string, unknown> = {}) {
  return judge(PolicySchema.parse(policy), { name, params, platform: 'chatgpt' });
}
function verdictOnExec(exec: unknown, params: Record<string, unknown>) {
  return verdict({ exec }, 'conductor::exec', params);
}

describe('the default policy', () => {
  it.each([
    'conductor::files/write',
    'conductor::files/read',
    'conductor::describe',
    'conductor::system/pause',
    'conductor::conversation/mode',
  ] as const)('%s is allowed', (name) => {
    expect(verdict({}, name)).toEqual({ decision: 'allow', rule: 'default' });
  });

  it('exec asks, by argv and by the shell', () => {
    expect(verdictOnExec({}, { argv: ['ls'] })).toEqual({ decision: 'ask', rule: 'exec.default' });
    expect(verdictOnExec({}, { command: 'ls' })).toEqual({ decision: 'ask', rule: 'exec.shell' });
  });
});

describe('the rules for exec', () => {
  const rules = [
    { match: { argv: ['git', 'push', '*'] }, decision: 'deny' },
    { match: { argv: ['git', '*'] }, decision: 'allow' },
    { match: { argv: ['cat', '*', 'x'] }, decision: 'allow' },
  ];

  it('the first matching rule decides, and the verdict names it', () => {
    const denied = { decision: 'deny', rule: 'exec.rules[0]' };
    expect(verdictOnExec({ rules }, { argv: ['git', 'push', '-f'] })).toEqual(denied);
    const allowed = { decision: 'allow', rule: 'exec.rules[1]' };
    expect(verdictOnExec({ rules }, { argv: ['git', 'status'] })).toEqual(allowed);
    expect(verdictOnExec({ rules }, { argv: ['gitk'] }).rule).toBe('exec.default');
  });

  it('an allowed argv asks when it comes with variables, which change what it runs', () => {
    const params = { argv: ['git', 'status'], env: { PATH: '/tmp' } };
    expect(verdictOnExec({ rules }, params)).toEqual({ decision: 'ask', rule: 'exec.rules[1] with env' });
    expect(verdictOnExec({ rules, default: 'allow' }, params).decision).toBe('allow');
  });

  it('a script asks although the rules for argv allow the same words', () => {
    const asked = { decision: 'ask', rule: 'exec.shell' };
    expect(verdictOnExec({ rules, default: 'allow' }, { command: 'git status' })).toEqual(asked);
  });

  it.each([
    [['a', '*'], ['a'], true],
    [['a', '*'], ['a', 'b', 'c'], true],
    [['a', '*', 'c'], ['a', 'b', 'c'], true],
    [['a', '*', 'c'], ['a', 'b', 'b', 'c'], false],
    [['a'], ['a', 'b'], false],
    [['a', 'b'], ['a'], false],
    [['*.txt'], ['a.txt'], false],
    [['a', '<word>'], ['a', 'b'], true],
    [['a', '<word>'], ['a', ''], true],
    [['a', '<word>'], ['a'], false],
    [['a', '<word>'], ['a', 'b', 'c'], false],
    [['a', '<word>'], ['a', '-b'], false],
    [['a', '<word>'], ['a', '--'], false],
    [['a', '<word>', '-x'], ['a', 'b', '-x'], true],
    [['a', '<words>'], ['a'], true],
    [['a', '<words>'], ['a', 'b', 'c-d', 'e'], true],
    [['a', '<words>'], ['a', 'b', '--output=x'], false],
    [['a', '<words>'], ['a', 'b', '--', 'c'], false],
    [['a', '--', '<words>'], ['a', '--', 'b', 'c'], true],
    [['<word>', '<words>'], ['a', 'b'], true],
  ])('the pattern %j matches %j: %s', (pattern, argv, matches) => {
    expect(argvMatches(pattern, argv)).toBe(matches);
  });
});

describe('a pattern of a rule that cannot be meant', () => {
  const policyWith = (argv: string[]) => ({ exec: { rules: [{ match: { argv }, decision: 'deny' }] } });

  it.each([
    [['rm', '<wrod>'], 'in angle brackets only <word> and <words> are known'],
    [['rm', '<words>', 'x'], '<words> matches any rest, so it can only be the last item'],
  ])('%j makes the policy invalid, and the problem says why', (argv, problem) => {
    expect(PolicySchema.safeParse(policyWith(argv)).error?.issues[0]?.message).toBe(problem);
  });

  it.each([['<'], ['a>b'], ['<a'], ['a<b>']])('the item %j is plain text', (item) => {
    expect(argvMatches(['x', item], ['x', item])).toBe(true);
    expect(PolicySchema.safeParse(policyWith(['x', item])).success).toBe(true);
  });
});

describe('the rules for tools and platforms', () => {
  it.each(['{exec,files/*}', 'files/[rw]*', 'f?les/write', '*', '**', 'files/**', '*write'])(
    'the pattern %s names files/write',
    (pattern) => {
      expect(verdict({ tools: { [pattern]: 'deny' } }, 'conductor::files/write').decision).toBe('deny');
    },
  );

  it('an exact name decides before globs, and of several globs the strictest decides', () => {
    const tools = { 'files/*': 'deny', 'files/read': 'allow' };
    expect(verdict({ tools }, 'conductor::files/read').decision).toBe('allow');
    expect(verdict({ tools }, 'conductor::files/write')).toEqual({ decision: 'deny', rule: 'tools["files/*"]' });
    expect(verdict({ tools: { '*': 'allow', 'files/*': 'ask' } }, 'conductor::files/read').decision).toBe('ask');
  });

  it('a browser tool is named with its target', () => {
    const tools = { 'browser.claude/*': 'deny' };
    expect(verdict({ tools }, 'browser.claude::send')).toEqual({ decision: 'deny', rule: 'tools["browser.claude/*"]' });
    expect(verdict({ tools: { 'browser.gemini/*': 'allow' } }, 'browser.gemini::send').decision).toBe('allow');
  });

  it.each([
    ['its own conversation', { conversation_id: 'own' }, 'allow'],
    ['another conversation', { conversation_id: 'other' }, 'ask'],
    ['a new conversation', {}, 'ask'],
  ] as const)('without a rule for it, a browser tool about %s is decided by whose it is', (_what, params, decision) => {
    for (const name of ['browser.chatgpt::send', 'browser.chatgpt::current'] as const) {
      const call = { name, params, platform: 'chatgpt', conversation_id: 'own' } as const;
      expect(judge(PolicySchema.parse({}), call).decision).toBe(decision);
      // The same id on another platform is another conversation.
      expect(judge(PolicySchema.parse({}), { ...call, platform: 'claude' }).decision).toBe('ask');
      expect(judge(PolicySchema.parse({ tools: { 'browser.*/*': 'allow' } }), call).decision).toBe('allow');
    }
  });

  it('without a rule for it, a new task asks a person, and its state and its cancellation do not', () => {
    expect(verdict({}, 'conductor::tasks/create')).toEqual({ decision: 'ask', rule: 'default for a new task' });
    expect(verdict({ tools: { 'tasks/create': 'allow' } }, 'conductor::tasks/create').decision).toBe('allow');
    expect(verdict({}, 'conductor::tasks/status').decision).toBe('allow');
    expect(verdict({}, 'conductor::tasks/cancel').decision).toBe('allow');
  });

  it('a star means every tool, at any depth of its name', () => {
    for (const name of TOOL_NAMES) expect(verdict({ tools: { '*': 'deny' } }, name).decision).toBe('deny');
  });

  it('a control tool can be denied, asked for and allowed', () => {
    for (const decision of RULE_DECISIONS) {
      expect(verdict({ tools: { 'system/*': decision } }, 'conductor::system/resume').decision).toBe(decision);
    }
  });

  it('a denied platform is denied for every tool', () => {
    const policy = PolicySchema.parse({ platforms: { gemini: 'deny' } });
    for (const name of TOOL_NAMES) {
      const decisionFor = (platform: 'gemini' | 'claude') =>
        judge(policy, { name, params: { argv: ['x'] }, platform }).decision;
      expect(decisionFor('gemini')).toBe('deny');
      expect(decisionFor('claude')).not.toBe('deny');
    }
  });

  it('no part allows what another part forbids', () => {
    const decision = fc.constantFrom(...RULE_DECISIONS);
    const policies = fc.record({
      exec: fc.record({ default: decision, shell: decision }),
      tools: fc.dictionary(fc.constantFrom('*', 'exec', 'files/*', 'files/write', 'system/*'), decision),
      platforms: fc.dictionary(fc.constantFrom(...PLATFORM_IDS), decision),
    });
    fc.assert(
      fc.property(policies, fc.constantFrom(...TOOL_NAMES), (policy, name) => {
        const call = { name, params: { argv: ['x'] }, platform: 'chatgpt' } as const;
        const denied = PolicySchema.parse({ ...policy, platforms: { ...policy.platforms, chatgpt: 'deny' } });
        expect(judge(denied, call).decision).toBe('deny');
        const allowed = PolicySchema.parse({ ...policy, platforms: { chatgpt: 'allow' } });
        const silent = PolicySchema.parse({ ...policy, platforms: {} });
        expect(judge(allowed, call).decision).toBe(judge(silent, call).decision);
      }),
    );
  });
});

describe('the modes of a policy', () => {
  it('in shadow mode no tool runs, not even a control tool, and denials stay', () => {
    for (const name of TOOL_NAMES) {
      expect(verdict({ mode: 'shadow' }, name, { argv: ['x'] })).toEqual({ decision: 'shadow', rule: 'mode' });
    }
    const denying = { mode: 'shadow', tools: { exec: 'deny' } };
    expect(verdict(denying, 'conductor::exec', { argv: ['x'] }).decision).toBe('deny');
  });

  it('without any valid policy every tool is denied', () => {
    for (const name of TOOL_NAMES) expect(judge(null, { name, params: {}, platform: 'claude' }).decision).toBe('deny');
  });
});

describe('docs/policy.schema.json', () => {
  it('the schema equals the contract', () => {
    expect(JSON.parse(readFileSync(POLICY_SCHEMA_FILE, 'utf8'))).toEqual(policyJsonSchema());
  });
});
