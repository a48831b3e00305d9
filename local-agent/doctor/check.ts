/** A check as a value: what it looks at, and what it finds. */
import type { FindingCode } from './finding-codes.ts';

export const SEVERITIES = ['error', 'warning', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** The groups in which a person reads the checks, in their order. */
export const GROUPS = ['program', 'files', 'system', 'edge', 'browsers', 'tasks'] as const;
export type Group = (typeof GROUPS)[number];

export interface Finding {
  code: FindingCode;
  severity: Severity;
  what: string;
  /** What it leads to. */
  why: string;
  /** What a person does about it. */
  advice: string;
  /** The line that does it; null when there is no such line. */
  command: string | null;
  /** Mends it without a risk: `--fix` runs it. */
  fix?: () => void | Promise<void>;
}

export type Outcome = { state: 'ok'; note: string } | { state: 'found'; findings: Finding[] };

export interface Check<W> {
  id: string;
  group: Group;
  title: string;
  /** @throws Skipped when it cannot be made */
  look: (world: W) => Outcome | Promise<Outcome>;
}

/** A check cannot be made; the message says why. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}

export function found(...findings: Finding[]): Outcome {
  return { state: 'found', findings };
}

/** `note` says what was seen when nothing is wrong. */
export function outcomeOf(findings: Finding[], note: string): Outcome {
  return findings.length === 0 ? { state: 'ok', note } : { state: 'found', findings };
}
