import { describe, expect, it } from 'vitest';
import type { StepEffect } from '../../../../local-agent/policy/step-policy.ts';
import { judgeStep } from '../../../../local-agent/policy/step-policy.ts';
import { PolicySchema } from '../../../../schema/contracts/policy.ts';

const BUILD: StepEffect = { type: 'exec', argv: ['make', 'all'] };
const policy = (fields: object) => PolicySchema.parse(fields);

describe('what a host permits of a step', () => {
  it.each([
    [
      'a rule of exec allows it',
      { exec: { rules: [{ match: { argv: ['make', '*'] }, decision: 'allow' }] } },
      BUILD,
      true,
    ],
    ['it asks about programs', {}, BUILD, false],
    ['it asks about scripts', {}, { type: 'script', script: 'make' }, false],
    ['it asks about coding agents', {}, { type: 'agent' }, false],
    ['it allows coding agents', { tools: { 'task/agent': 'allow' } }, { type: 'agent' }, true],
    ['it asks about a push', {}, { type: 'push' }, false],
    ['it asks about a merge', {}, { type: 'merge' }, false],
    ['the step starts nothing that it has rules for', {}, { type: 'none' }, true],
  ] as const)('of a task that no person has approved, when %s: %#', (_when, fields, effect, allowed) => {
    expect(judgeStep(policy(fields), effect as StepEffect, false).allowed).toBe(allowed);
  });

  it('is what it asks about, for the task of a person', () => {
    for (const effect of [BUILD, { type: 'agent' }, { type: 'push' }] as const) {
      expect(judgeStep(policy({}), effect as StepEffect, true)).toEqual({ allowed: true });
    }
  });

  it('is never what it denies', () => {
    const denies = policy({ tools: { 'task/agent': 'deny', exec: 'deny' } });
    expect(judgeStep(denies, { type: 'agent' }, true)).toEqual({
      allowed: false,
      text: expect.stringContaining('task/agent'),
    });
    expect(judgeStep(denies, BUILD, true).allowed).toBe(false);
  });

  it('is nothing in shadow mode, or with a broken policy', () => {
    expect(judgeStep(policy({ mode: 'shadow' }), { type: 'none' }, true).allowed).toBe(false);
    expect(judgeStep(null, { type: 'none' }, true).allowed).toBe(false);
  });
});
