/**
 * A dialect knows how one family of coding agents is called, what its events mean, and how it resumes. An event stream is
 * foreign: unknown events and fields are passed over.
 */
import type { RunUsage } from '../../../schema/contracts/runs.ts';
import { SessionIdSchema } from '../../../schema/contracts/runs.ts';
import type { AgentSettings } from '../../config/agent-settings.ts';
import type { AgentView, EndedStep, Verdict } from '../executor.ts';
import { failed, succeeded } from '../executor.ts';

export interface AgentCall {
  settings: AgentSettings;
  prompt: string;
  /** The session to resume. */
  resumes: string | null;
  /** For an agent that lets its caller choose: the id of a new session. */
  newSessionId: string;
  /** Names of variables that its tools must not see. */
  secretNames: readonly string[];
}

export interface CalledAgent {
  argv: string[];
  stdin: string | null;
}

/** The state of an agent, from its events. */
export interface AgentState extends AgentView {
  /** Its last message. */
  lastMessage: string | null;
  /** The event that ends its work. */
  terminal: { ok: boolean; error_code: string; text: string } | null;
  warnings: string[];
}

export interface Dialect {
  call: (call: AgentCall) => CalledAgent;
  /** Takes one event. */
  event: (state: AgentState, event: Record<string, unknown>) => AgentState;
  /** Whether `usage` and cost count over the whole session, so that a resumed run reports the difference. */
  cumulative: readonly (keyof RunUsage)[];
  judge: (state: AgentState, end: EndedStep) => Verdict;
}

export const NO_EVENTS: AgentState = {
  sessionId: null,
  progress: null,
  usage: null,
  lastMessage: null,
  terminal: null,
  warnings: [],
};

export const WAITING_FOR_MODEL = 'waiting for the model';
const MAX_WARNINGS = 10;
const MAX_WARNING_CHARS = 300;

export function withWarning(state: AgentState, warning: string): AgentState {
  return state.warnings.length >= MAX_WARNINGS
    ? state
    : { ...state, warnings: [...state.warnings, warning.slice(0, MAX_WARNING_CHARS)] };
}

/** The last message of an agent, and what it warned of. */
export function succeededWith(message: string, { warnings }: Pick<AgentState, 'warnings'>): Verdict {
  return succeeded([message, ...warnings.map((warning) => `(${warning})`)].join('\n'));
}

const SESSION_GONE = {
  error_code: 'session_not_found',
  text: 'the session that it should resume does not exist any more; the next attempt begins a new one',
};

/** A run that reports no session is not resumed: the next attempt begins a new one. */
export function withoutSession(state: AgentState): AgentState {
  return { ...state, sessionId: null, progress: null, terminal: { ok: false, ...SESSION_GONE } };
}

export function sessionGone(): Verdict {
  return failed(SESSION_GONE.error_code, SESSION_GONE.text);
}

/** A text of an event; null for anything else. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A whole number that the edge takes. */
export function countOf(value: unknown): number | undefined {
  const count = typeof value === 'number' ? Math.round(value) : Number.NaN;
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

/** The id of a session; null for what could be taken for an option when the agent gets it back. */
export function sessionIdOf(value: unknown): string | null {
  return SessionIdSchema.safeParse(value).data ?? null;
}

const FAILURES: readonly (readonly [RegExp, string])[] = [
  [/quota|credit balance|insufficient/i, 'quota_exceeded'],
  [/\b429\b|rate.?limit/i, 'rate_limited'],
  [/context window|too long|prompt_too_long/i, 'context_too_long'],
  [/\b401\b|\b403\b|unauthorized|authentication|api key|not logged in|login/i, 'not_authorized'],
  [/refus/i, 'refused'],
];

/** The code of a failure that an agent describes in words. */
export function failureCode(text: string): string {
  return FAILURES.find(([pattern]) => pattern.test(text))?.[1] ?? 'agent_failed';
}
