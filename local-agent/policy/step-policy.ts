/**
 * What this host permits of a task's step, judged when it starts. A person's task runs what the policy would ask about;
 * what it denies never runs. Other steps need a plain `allow`, because no person is there to be asked.
 */
import type { Policy } from '../../schema/contracts/policy.ts';
import { judgeExec, judgeTool, strictest } from './policy.ts';

/** What a step would do, as far as the policy has rules for it. */
export type StepEffect =
  | { type: 'exec'; argv: string[] }
  | { type: 'script'; script: string }
  | { type: 'agent' }
  | { type: 'push' }
  /** It moves a branch that the conductor did not name. */
  | { type: 'merge' }
  | { type: 'none' };

export type StepRuling = { allowed: true } | { allowed: false; text: string };

function rulingsOf(policy: Policy, effect: StepEffect) {
  switch (effect.type) {
    case 'exec':
      return [...judgeTool(policy, 'exec'), judgeExec(policy, { argv: effect.argv })];
    case 'script':
      return [...judgeTool(policy, 'exec'), judgeExec(policy, { command: effect.script })];
    case 'agent':
      return toolOr(policy, 'task/agent');
    case 'push':
      return toolOr(policy, 'task/push');
    case 'merge':
      return toolOr(policy, 'task/merge');
    case 'none':
      return [];
    default:
      return effect satisfies never;
  }
}

/** Without an entry, a coding agent, a push and a merge ask. */
function toolOr(policy: Policy, tool: string) {
  const found = judgeTool(policy, tool);
  return found.length > 0 ? found : [{ decision: 'ask' as const, rule: `default for ${tool}` }];
}

export function judgeStep(policy: Policy | null, effect: StepEffect, isPersons: boolean): StepRuling {
  if (policy === null) return { allowed: false, text: 'policy.json of this host is broken: repair it' };
  const { decision, rule } = strictest(rulingsOf(policy, effect));
  if (decision === 'deny') return { allowed: false, text: `the policy of this host denies it (${rule})` };
  if (policy.mode === 'shadow')
    return { allowed: false, text: 'the policy of this host executes nothing (mode shadow)' };
  if (decision === 'allow' || isPersons) return { allowed: true };
  return {
    allowed: false,
    text: `the policy of this host asks a person about it (${rule}), and no person approved this task`,
  };
}
