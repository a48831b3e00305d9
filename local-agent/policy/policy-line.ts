/**
 * The rule that a person could add by hand so that a call which asks runs without asking. It is offered only when the policy
 * with this rule in front of its others would allow the call, by the code that judges, and only when the rule names the
 * argv exactly and reads as it is written.
 */
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';
import type { Policy } from '../../schema/contracts/policy.ts';
import { ARGV_PLACEHOLDERS, PolicySchema } from '../../schema/contracts/policy.ts';
import { grantableArgv } from '../../schema/domain/grant.ts';
import { makeExactLine } from '../../schema/domain/visible.ts';
import type { ToolCall } from '../tools/tool-call.ts';
import { judge } from './policy.ts';

const PLACEHOLDERS: readonly string[] = Object.values(ARGV_PLACEHOLDERS);
/** As many as the contract of an approval takes. */
const MAX_CHARS = 8_192;

/** One line of JSON for `exec.rules`; null when no such rule would do. */
export function policyLine(policy: Policy | null, call: ToolCall): string | null {
  const argv = grantableArgv(call.name, call.params);
  if (policy === null || argv === null || argv.some((item) => PLACEHOLDERS.includes(item))) return null;
  const rule = { match: { argv: [...argv] }, decision: 'allow' };
  const line = JSON.stringify(rule);
  if (line.length > MAX_CHARS || makeExactLine(line) !== line) return null;
  const rules = [rule, ...policy.exec.rules];
  const changed = PolicySchema.safeParse({ ...policy, exec: { ...policy.exec, rules } });
  return changed.success && isAllowed(policy, changed.data, call) ? line : null;
}

/** On every platform on which it asks now: the line says nothing of platforms. */
function isAllowed(now: Policy, changed: Policy, { name, params }: ToolCall): boolean {
  const asks = PLATFORM_IDS.filter((platform) => judge(now, { name, params, platform }).decision === 'ask');
  return asks.length > 0 && asks.every((platform) => judge(changed, { name, params, platform }).decision === 'allow');
}
