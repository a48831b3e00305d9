/** The file names in the headers of a patch: quoting, time stamps, and git's prefixes. */
import { fromByteText } from './byte-text.ts';
import { invalidPatch } from './patch-error.ts';

const NO_FILE = '/dev/null';
const ESCAPES: Record<string, string> = { a: '\x07', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' };
const QUOTED = /^"((?:[^"\\]|\\.)*)"/;
/** The prefixes that git gives to old and new names; with `diff.mnemonicPrefix` they say what is compared. */
const PREFIXED = /^[abciow12]\//;
const BACKUP = /(?:\.orig|\.old|\.bak|~)$/;

/** A name in double quotes as git writes it; null when the text begins with no such name. */
function unquote(text: string): { name: string; rest: string } | null {
  const quoted = QUOTED.exec(text);
  if (quoted === null) return null;
  const name = (quoted[1] ?? '').replace(/\\([0-7]{3}|.)/g, (_all, code: string) =>
    /^[0-7]{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8) & 0xff) : (ESCAPES[code] ?? code),
  );
  return { name, rest: text.slice(quoted[0].length) };
}

/** Whether the time stamp behind a name is the beginning of time, by which diff says that there is no such file. */
function isEpoch(stamp: string): boolean {
  const time = /^(1969-12-31|1970-01-01) (\d\d):(\d\d):00(?:\.0+)? ([-+])(\d\d):?(\d\d)$/.exec(stamp.trim());
  if (time === null) return false;
  const [, day, hours, minutes, sign, zoneHours, zoneMinutes] = time;
  const local = Number(hours) * 60 + Number(minutes) - (day === '1969-12-31' ? 24 * 60 : 0);
  return local === (sign === '-' ? -1 : 1) * (Number(zoneHours) * 60 + Number(zoneMinutes));
}

/** Repeated slashes as one, as git reads them, except for those behind the first part, which is git's prefix. */
function withoutRepeatedSlashes(name: string): string {
  const prefix = /^[^/]*\//.exec(name)?.[0] ?? '';
  return prefix + name.slice(prefix.length).replace(/\/{2,}/g, '/');
}

export interface HeaderName {
  /** As it is written, without quotes; null for no file. */
  name: string | null;
  /** The header has a time stamp that says that there is no such file. */
  isAbsent: boolean;
}

/** The name in a line `--- name` or `+++ name`, a time stamp behind it left out. */
export function headerName(text: string): HeaderName {
  const quoted = unquote(text);
  const tab = text.indexOf('\t');
  const plain =
    tab < 0 ? text.replace(/\s(?:19|20)\d\d-\d\d-\d\d \d\d:\d\d:\d\d.*$/, '').trimEnd() : text.slice(0, tab);
  const name = withoutRepeatedSlashes(quoted ? quoted.name : plain.replace(/\r$/, ''));
  const stamp = quoted ? quoted.rest : text.slice(plain.length);
  return { name: name === NO_FILE ? null : name, isAbsent: isEpoch(stamp) };
}

/** Refuses a name that is absolute without git's prefix, such as `b//tmp/x`. @throws PatchError */
export function assertRelative(header: HeaderName | null, line: number): void {
  const name = header?.name ?? '';
  const [, rest] = /^[^/]+\/(\/.*)$/s.exec(name) ?? [];
  if (rest === undefined) return;
  const [shown, read] = [name, rest].map((one) => JSON.stringify(fromByteText(one)));
  throw invalidPatch(line, `the name ${shown} has an empty part, so git reads it as the absolute path ${read}`);
}

/** The name in a line such as `rename from name`, which has no prefix. */
export function plainName(text: string): string {
  return unquote(text)?.name ?? text;
}

/** The name that both halves of `diff --git a/name b/name` share; null when they differ. */
export function sharedName(text: string): string | null {
  const [from, to] = halves(text);
  if (from === null || to === null) return null;
  const names = withoutPrefixes({ from, to });
  return names.from === names.to ? names.from : null;
}

function halves(text: string): [string | null, string | null] {
  const first = unquote(text);
  if (first) return [first.name, plainName(first.rest.trimStart())];
  const second = /^(.*) ("(?:[^"\\]|\\.)*")$/.exec(text);
  if (second) return [second[1] ?? null, plainName(second[2] ?? '')];
  // Names may contain blanks; halves of the same name have the same length.
  const middle = (text.length - 1) / 2;
  return text[middle] === ' ' ? [text.slice(0, middle), text.slice(middle + 1)] : [null, null];
}

/** The old and the new name of a part; null for no file. */
export interface Names {
  from: string | null;
  to: string | null;
}

/** Both names without git's prefixes. A prefix that only one of them has is left out when the names agree without it. */
export function withoutPrefixes({ from, to }: Names): Names {
  if (from === null || to === null) {
    return { from: from?.replace(/^a\//, '') ?? null, to: to?.replace(/^b\//, '') ?? null };
  }
  const [bareFrom, bareTo] = [from.replace(PREFIXED, ''), to.replace(PREFIXED, '')];
  const isPrefixed = from.startsWith('a/') && to.startsWith('b/');
  return isPrefixed || (from !== to && bareFrom === bareTo) ? { from: bareFrom, to: bareTo } : { from, to };
}

/** The one name of a part whose two names are those of a file and of its backup; null otherwise. */
export function nameBesideBackup(from: string, to: string): string | null {
  const [plainFrom, plainTo] = [from, to].map((name) => name.replace(/^[ab]\//, ''));
  return plainFrom?.replace(BACKUP, '') === plainTo ? (plainTo ?? null) : null;
}

/** A name as a path. @throws PatchError for a name that no path can be */
export function toPath(name: string, line: number): string {
  const path = fromByteText(name);
  if (path === '' || path.includes('\0') || path.includes('\ufffd')) {
    throw invalidPatch(line, `${JSON.stringify(path)} is not a file name that can be used`);
  }
  return path;
}
