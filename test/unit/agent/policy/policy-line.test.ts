import { describe, expect, it } from 'vitest';
import { judge } from '../../../../local-agent/policy/policy.ts';
import { policyLine } from '../../../../local-agent/policy/policy-line.ts';
import type { Policy } from '../../../../schema/contracts/policy.ts';
import { PolicySchema } from '../../../../schema/contracts/policy.ts';

const ARGV = ['git', 'log', '--oneline', '*.ts', 'a "b"'];
const lineOf = (policy: unknown, params: Record<string, unknown> = { argv: ARGV }) =>
  policyLine(PolicySchema.parse(policy), { name: 'conductor::exec', params });

/** The policy once a person has added the line in front of its rules. */
function withLine(policy: unknown, line: string): Policy {
  const parsed = PolicySchema.parse(policy);
  const rules = [JSON.parse(line), ...parsed.exec.rules];
  return PolicySchema.parse({ ...parsed, exec: { ...parsed.exec, rules } });
}
const decisionOf = (policy: Policy, params: Record<string, unknown>) =>
  judge(policy, { name: 'conductor::exec', params, platform: 'chatgpt' }).decision;

describe('the line that a person could add to policy.json', () => {
  it('allows exactly the call that asks, and no other', () => {
    const before = { exec: { rules: [{ match: { argv: ['git', '*'] }, decision: 'ask' }] } };
    const line = lineOf(before) ?? '';
    expect(line).toBe('{"match":{"argv":["git","log","--oneline","*.ts","a \\"b\\""]},"decision":"allow"}');
    const policy = withLine(before, line);
    expect(decisionOf(policy, { argv: ARGV })).toBe('allow');
    const others = [
      { argv: [...ARGV, 'x'] },
      { argv: ARGV.slice(0, -1) },
      { argv: ['git', 'log', '--output=x', '*.ts', 'a "b"'] },
      { argv: ['git', 'log', '--oneline', 'x.ts', 'a "b"'] },
      { argv: [ARGV.join(' ')] },
      { argv: ARGV, env: { PAGER: 'x' } },
      { command: ARGV.join(' ') },
    ];
    for (const other of others) expect([other, decisionOf(policy, other)]).toEqual([other, 'ask']);
  });

  it('comes before a rule that asks, and is not offered where another part of the policy still asks', () => {
    expect(lineOf({})).not.toBeNull();
    expect(lineOf({ tools: { exec: 'ask' } })).toBeNull();
    expect(lineOf({ platforms: { chatgpt: 'ask' } })).toBeNull();
    expect(lineOf({ platforms: { gemini: 'deny' } })).not.toBeNull();
  });

  it.each([
    ['what is allowed', { exec: { default: 'allow' } }, { argv: ARGV }],
    ['what is denied', { exec: { default: 'deny' } }, { argv: ARGV }],
    ['a host that executes nothing', { mode: 'shadow' }, { argv: ARGV }],
    ['a script', {}, { command: 'make' }],
    ['variables', {}, { argv: ['make'], env: { A: '1' } }],
    ['input, which a rule would not bind', {}, { argv: ['sh'], stdin: 'x' }],
    ['an item that a rule reads as any item', {}, { argv: ['rm', '*'] }],
    ['an item that a rule reads as any word', {}, { argv: ['rm', '<word>'] }],
    ['an item that no rule can have', {}, { argv: ['rm', '<x>'] }],
    ['an item with characters that would not be shown as they are', {}, { argv: ['rm', 'a\u200bb'] }],
    ['an item with a look-alike letter', {}, { argv: ['r\u043em'] }],
    ['a line that is too long', {}, { argv: ['x'.repeat(9_000)] }],
  ])('is not offered for %s', (_what, policy, params) => {
    expect(lineOf(policy, params)).toBeNull();
  });

  it('is not offered for another tool, or without a valid policy', () => {
    const call = { name: 'conductor::files/write', params: { path: 'a', content: '' } } as const;
    expect(policyLine(PolicySchema.parse({ tools: { 'files/write': 'ask' } }), call)).toBeNull();
    expect(policyLine(null, { name: 'conductor::exec', params: { argv: ARGV } })).toBeNull();
  });
});
