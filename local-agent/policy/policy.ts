/**
 * What the host permits. Pure: the same policy and instruction give the same verdict, before the claim and again at
 * the effect. Several parts may speak about one instruction (`platforms`, `tools`, `exec`); the strictest decides,
 * so that nothing loosens what another part forbids.
 */
import picomatch from 'picomatch';
import type { Platform } from '../../schema/contracts/common.ts';
import type { PolicyVerdict } from '../../schema/contracts/instructions.ts';
import type { Policy, RULE_DECISIONS } from '../../schema/contracts/policy.ts';
import type { ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { isBrowserTool, isControl } from '../../schema/contracts/tools.ts';

type RuleDecision = (typeof RULE_DECISIONS)[number];
interface Ruling {
  decision: RuleDecision;
  rule: string;
}

export interface Judged {
  name: ToolName;
  params: Record<string, unknown>;
  platform: Platform;
}

const STRICTNESS: Record<RuleDecision, number> = { allow: 0, ask: 1, deny: 2 };
/** `*` stands for `files/write` as well: whoever writes it means every tool. */
const ANY_DEPTH = { bash: true };
const GRANTED: Ruling = { decision: 'allow', rule: 'default' };

/** The first of the strictest. */
function strictest(rulings: readonly Ruling[]): Ruling {
  let worst = GRANTED;
  for (const ruling of rulings) {
    if (worst === GRANTED || STRICTNESS[ruling.decision] > STRICTNESS[worst.decision]) worst = ruling;
  }
  return worst;
}

/** argv item by item; `*` stands for one item, as the last one for any rest. */
export function argvMatches(pattern: readonly string[], argv: readonly string[]): boolean {
  const open = pattern.at(-1) === '*';
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? argv.length < fixed.length : argv.length !== fixed.length) return false;
  return fixed.every((item, i) => item === '*' || item === argv[i]);
}

/** An exact name decides before globs; of several globs the strictest. */
function judgeTool(policy: Policy, tool: string): Ruling[] {
  const exact = Object.hasOwn(policy.tools, tool) ? policy.tools[tool] : undefined;
  if (exact) return [{ decision: exact, rule: `tools["${tool}"]` }];
  return Object.entries(policy.tools)
    .filter(([glob]) => picomatch.isMatch(tool, glob, ANY_DEPTH))
    .map(([glob, decision]) => ({ decision, rule: `tools["${glob}"]` }));
}

function judgeExec(policy: Policy, params: ToolParams<'conductor::exec'>): Ruling {
  const { argv } = params;
  if (!argv) return { decision: policy.exec.shell, rule: 'exec.shell' };
  const found = policy.exec.rules.findIndex((rule) => argvMatches(rule.match.argv, argv));
  const rule = policy.exec.rules[found];
  if (!rule) return { decision: policy.exec.default, rule: 'exec.default' };
  // Variables such as PATH change what an allowed argv runs, so a rule about argv alone does not vouch for them.
  if (rule.decision === 'allow' && Object.keys(params.env ?? {}).length > 0) {
    const decision = policy.exec.default === 'allow' ? 'allow' : 'ask';
    return { decision, rule: `exec.rules[${found}] with env` };
  }
  return { decision: rule.decision, rule: `exec.rules[${found}]` };
}

/** What a tool is called in a policy: without `conductor`, since nearly all are the conductor's. */
function policyName(name: ToolName): string {
  return isBrowserTool(name) ? name.replace('::', '/') : name.slice(name.indexOf('::') + 2);
}

/** Judges one instruction with checked params. A null policy is a file that never could be read: all is denied. */
export function judge(policy: Policy | null, { name, params, platform }: Judged): PolicyVerdict {
  if (!policy) return { decision: 'deny', rule: 'policy.json is broken' };
  const rulings = judgeTool(policy, policyName(name));
  const platformDecision = policy.platforms[platform];
  if (platformDecision) rulings.push({ decision: platformDecision, rule: `platforms.${platform}` });
  if (name === 'conductor::exec') rulings.push(judgeExec(policy, params as ToolParams<'conductor::exec'>));
  const { decision, rule } = strictest(rulings);
  const shown = rule.slice(0, 200);
  if (decision === 'deny') return { decision, rule: shown };
  if (policy.mode === 'shadow') return { decision: 'shadow', rule: 'mode' };
  if (decision === 'allow' && isControl(name)) return { decision: 'control', rule: shown };
  return { decision, rule: shown };
}
