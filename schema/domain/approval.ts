/**
 * What a person approves of a call. The node computes it for the tools of its host; for every other tool the edge does,
 * because it has the parameters and runs or sends the call. Both hash the same text, so the node can compare.
 */
import canonicalize from 'canonicalize';
import type { Approval } from '../contracts/instructions.ts';
import type { ToolName } from '../contracts/tools.ts';
import { makeExact, makeExactLine, makeVisible } from './visible.ts';

const MAX_DISPLAY_CHARS = 60_000;
/** As many as the contract of an approval takes. */
const MAX_STORED_CHARS = 65_536;
/** What is said beside the call, such as what the approval does not bind. */
const MAX_NOTES_CHARS = 4_000;

/** Everything that an approval binds. */
export interface BoundCall {
  name: ToolName;
  params: Readonly<Record<string, unknown>>;
  /** The folder in which it runs; null when the tool has none. */
  cwd: string | null;
  file_hashes: Readonly<Record<string, string>>;
}

/** The text whose hash is the approval's. */
export function boundText({ name, params, cwd, file_hashes }: BoundCall): string {
  return canonicalize({ name, params, cwd, file_hashes }) ?? '';
}

/** The exact text of a call, made visible and cut at a limit, and the notes below it. */
export function approvalDisplay(text: string, notes: readonly string[] = []): string {
  // Only what can be shown is looked at: a parameter may be longer by far.
  const head = text.slice(0, MAX_DISPLAY_CHARS);
  const visible = makeExact(head);
  const left = text.length - head.length + Math.max(0, visible.length - MAX_DISPLAY_CHARS);
  const shown =
    left > 0
      ? `${visible.slice(0, MAX_DISPLAY_CHARS).toWellFormed()}\n[${left} more characters, covered by the hash]`
      : visible;
  if (notes.length === 0) return shown;
  return `${shown}\n\n${notes.map(makeExactLine).join('\n').slice(0, MAX_NOTES_CHARS).toWellFormed()}`;
}

type ShownFields = Pick<Approval, 'cwd' | 'env_names' | 'file_hashes'>;

/** The fields beside the display as a person sees them: each value exact and on one line. The hash binds the raw values. */
export function shownFields({ cwd, env_names, file_hashes }: ShownFields): ShownFields {
  const hashes = new Map<string, string>();
  for (const [path, hash] of Object.entries(file_hashes)) {
    const shown = makeExactLine(path);
    const others = hashes.get(shown);
    // Two paths that are shown alike keep both hashes.
    hashes.set(shown, `${others === undefined ? '' : `${others}, `}${makeExactLine(hash)}`);
  }
  return {
    cwd: cwd === null ? null : makeExactLine(cwd),
    env_names: env_names.map(makeExactLine),
    file_hashes: Object.fromEntries(hashes),
  };
}

/** An approval as a node sent it, with nothing in it that a terminal or a page would act upon. */
export function neutralApproval(approval: Approval): Approval {
  const { display, approval_hash, cwd, env_names, file_hashes, policy_line } = approval;
  return {
    display: makeVisible(display).slice(0, MAX_STORED_CHARS),
    approval_hash,
    ...shownFields({ cwd, env_names, file_hashes }),
    // One that would not be shown as it is written is no line to copy.
    ...(policy_line !== undefined && makeExactLine(policy_line) === policy_line ? { policy_line } : {}),
  };
}
