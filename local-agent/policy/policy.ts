/**
 * What the host permits. Pure: the same policy and instruction give the same verdict before the claim and at the effect.
 * Several parts may apply to one instruction (`platforms`, `tools`, `exec`). The strictest decides, so that no part allows
 * what another forbids.
 */
import type { CallSource, Platform } from '../../schema/contracts/common.ts';
import type { PolicyVerdict } from '../../schema/contracts/instructions.ts';
import type { Policy, RULE_DECISIONS } from '../../schema/contracts/policy.ts';
import { ARGV_PLACEHOLDERS } from '../../schema/contracts/policy.ts';
import type { ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { isBrowserTool, platformOf, splitCallName } from '../../schema/contracts/tools.ts';
import { compileGlob } from '../lib/glob.ts';
import type { ToolCall } from '../tools/tool-call.ts';

type RuleDecision = (typeof RULE_DECISIONS)[number];
export interface Ruling {
  decision: RuleDecision;
  rule: string;
}

export interface JudgedCall extends ToolCall {
  /** Where the call comes from. */
  platform: CallSource;
  /** The conversation in which it was written, by the platform's id; null when it is not known. */
  conversation_id?: string | null;
}

const STRICTNESS: Record<RuleDecision, number> = { allow: 0, ask: 1, deny: 2 };
/** As many as the contract of a verdict takes. */
const MAX_RULE_CHARS = 200;
/** Without an entry in `tools`, no chat reads or writes a person's other chats by itself. */
const OTHER_CONVERSATION: Ruling = { decision: 'ask', rule: 'default for another conversation' };
/** Without an entry in `tools`, no chat lets hosts run programs as a task by itself. */
const NEW_TASK: Ruling = { decision: 'ask', rule: 'default for a new task' };
const GRANTED: Ruling = { decision: 'allow', rule: 'default' };

/** The first of the strictest rulings. */
export function strictest(rulings: readonly Ruling[]): Ruling {
  let worst = GRANTED;
  for (const ruling of rulings) {
    if (worst === GRANTED || STRICTNESS[ruling.decision] > STRICTNESS[worst.decision]) worst = ruling;
  }
  return worst;
}

const { any, word, words } = ARGV_PLACEHOLDERS;

function itemMatches(pattern: string | undefined, item: string): boolean {
  if (pattern === any) return true;
  return pattern === word ? !item.startsWith('-') : pattern === item;
}

/** Matches argv item by item. A placeholder at the end may match any rest. */
export function argvMatches(pattern: readonly string[], argv: readonly string[]): boolean {
  const last = pattern.at(-1);
  const ofRest = last === any ? any : last === words ? word : null;
  const fixed = ofRest === null ? pattern : pattern.slice(0, -1);
  if (ofRest === null ? argv.length !== fixed.length : argv.length < fixed.length) return false;
  return argv.every((item, i) => itemMatches(i < fixed.length ? fixed[i] : (ofRest ?? undefined), item));
}

/** The ruling of the tool's exact name, otherwise those of all globs that match it. `*` also matches `files/write`. */
export function judgeTool(policy: Policy, tool: string): Ruling[] {
  const exact = Object.hasOwn(policy.tools, tool) ? policy.tools[tool] : undefined;
  if (exact) return [{ decision: exact, rule: `tools["${tool}"]` }];
  return Object.entries(policy.tools)
    .filter(([glob]) => compileGlob(glob, { of: 'words' }).matches(tool))
    .map(([glob, decision]) => ({ decision, rule: `tools["${glob}"]` }));
}

export function judgeExec(policy: Policy, params: ToolParams<'conductor::exec'>): Ruling {
  const { argv } = params;
  if (!argv) return { decision: policy.exec.shell, rule: 'exec.shell' };
  const found = policy.exec.rules.findIndex((rule) => argvMatches(rule.match.argv, argv));
  const rule = policy.exec.rules[found];
  if (!rule) return { decision: policy.exec.default, rule: 'exec.default' };
  // Variables such as PATH change what an allowed argv runs, and a rule covers argv only.
  if (rule.decision === 'allow' && Object.keys(params.env ?? {}).length > 0) {
    const decision = policy.exec.default === 'allow' ? 'allow' : 'ask';
    return { decision, rule: `exec.rules[${found}] with env` };
  }
  return { decision: rule.decision, rule: `exec.rules[${found}]` };
}

/** The name of a tool in a policy: `target/tool` for browser tools; only `tool` for the conductor's own. */
function policyName(name: ToolName): string {
  const { target, tool } = splitCallName(name);
  return isBrowserTool(name) ? `${target}/${tool}` : tool;
}

/** Whether the call is about another conversation than the one in which it was written, or opens a new one. */
function leavesConversation({ name, params, platform, conversation_id }: JudgedCall): boolean {
  if (!isBrowserTool(name)) return false;
  const target = params.conversation_id ?? null;
  return target === null || platformOf(name) !== platform || target !== conversation_id;
}

/** The platform whose rule applies: that of the chat, or of the browser tool that is called through MCP. */
function chatOf({ name, platform }: JudgedCall): Platform | null {
  if (platform !== 'mcp') return platform;
  return isBrowserTool(name) ? platformOf(name) : null;
}

/** Judges one call with valid params. A null policy denies everything: its file was never valid. */
export function judge(policy: Policy | null, call: JudgedCall): PolicyVerdict {
  if (!policy) return { decision: 'deny', rule: 'policy.json is broken' };
  const { name, params } = call;
  const rulings = judgeTool(policy, policyName(name));
  if (rulings.length === 0 && leavesConversation(call)) rulings.push(OTHER_CONVERSATION);
  if (rulings.length === 0 && name === 'conductor::tasks/create') rulings.push(NEW_TASK);
  const chat = chatOf(call);
  const platformDecision = chat === null ? undefined : policy.platforms[chat];
  if (platformDecision) rulings.push({ decision: platformDecision, rule: `platforms.${chat}` });
  if (name === 'conductor::exec') rulings.push(judgeExec(policy, params as ToolParams<'conductor::exec'>));
  const { decision, rule } = strictest(rulings);
  if (decision !== 'deny' && policy.mode === 'shadow') return { decision: 'shadow', rule: 'mode' };
  return { decision, rule: rule.slice(0, MAX_RULE_CHARS) };
}
