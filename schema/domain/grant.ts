/**
 * Grants: approvals that a person gives ahead. A grant covers calls of one program by argv: its leading items exactly, then
 * a number of further items that are no options, in one folder of one node, written in one conversation. It never covers a
 * script, variables or input. Edge and node both decide by this file; the node does so from the folder as it is there.
 */
import type { GRANT_REFUSALS, Grant } from '../contracts/grants.ts';
import { TOOLS } from '../contracts/tools.ts';

/** What a call may have besides its argv; another parameter, also one of a later version, is not covered. */
const COVERED_PARAMS: readonly string[] = ['argv', 'cwd', 'timeout_ms'];

/** The argv of a call that a grant could cover; null for every other call. */
export function grantableArgv(name: string, params: Readonly<Record<string, unknown>>): readonly string[] | null {
  if (name !== 'conductor::exec') return null;
  if (!Object.keys(params).every((key) => COVERED_PARAMS.includes(key))) return null;
  return TOOLS[name].params.safeParse(params).data?.argv ?? null;
}

function isOption(item: string): boolean {
  return item.startsWith('-');
}

const SHELL = /^(?:.*\/)?(?:a|ba|c|da|fi|k|mk|tc|z)?sh$/;

/** Whether further items after these leading ones are a script, as those of `sh -c` are: a grant never covers one. */
export function takesScript([program = '']: readonly string[]): boolean {
  return SHELL.test(program);
}

/** How few leading items of this argv a grant can have that covers it: every option is among them. */
export function fewestLeading(argv: readonly string[]): number {
  if (takesScript(argv)) return argv.length;
  return Math.max(1, argv.findLastIndex(isOption) + 1);
}

/** The calls that a grant covers. */
export type GrantedCalls = Pick<Grant, 'argv' | 'further_items' | 'folder'>;

/** Whether the grant covers that call. `folder`: where it would run, by its real path. */
export function grantCovers(
  { argv, further_items, folder }: GrantedCalls,
  call: { name: string; params: Readonly<Record<string, unknown>>; folder: string | null },
): boolean {
  const items = grantableArgv(call.name, call.params);
  if (items === null || call.folder !== folder) return false;
  // A row that cannot be read has no leading item.
  if (argv.length === 0 || (further_items > 0 && takesScript(argv))) return false;
  if (items.length < argv.length || items.length > argv.length + further_items) return false;
  return items.every((item, at) => (at < argv.length ? item === argv[at] : !isOption(item)));
}

type Refusal = (typeof GRANT_REFUSALS)[number];

/** Why a grant can be used no more; null while it can. */
export function grantEnd(
  { revoked_at, expires_at, uses, max_uses }: Pick<Grant, 'revoked_at' | 'expires_at' | 'uses' | 'max_uses'>,
  now: number,
): Extract<Refusal, 'revoked' | 'expired' | 'used_up'> | null {
  if (revoked_at !== null) return 'revoked';
  if (expires_at <= now) return 'expired';
  return uses >= max_uses ? 'used_up' : null;
}
