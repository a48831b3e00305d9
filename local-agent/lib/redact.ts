/**
 * Removes secrets from texts that go back into a chat: the values of the environment variables and the words of the files
 * that the policy names, and this system's own tokens in any case. A secret that a program has changed or encoded is not
 * recognised.
 */
import type { Policy } from '../../schema/contracts/policy.ts';
import { TOKEN_PREFIX } from '../../schema/contracts/tokens.ts';
import { compileGlob } from './glob.ts';

const MARK = '[redacted]';
const OWN_VARIABLES = ['BAA_*TOKEN*', 'BAA_*SECRET*', 'BAA_*KEY*'];
/** A token has 32 bytes in base64url. */
const TOKEN_CHARS = 43;
const TOKEN = new RegExp(`${TOKEN_PREFIX}[\\w-]{${TOKEN_CHARS}}`, 'g');
const PARTIAL_TOKEN = new RegExp(`^${TOKEN_PREFIX}[\\w-]*$`);
/** Shorter values are words like `true`. Replacing them would garble the output and protect nothing. */
const MIN_SECRET_CHARS = 6;

export interface SecretSources {
  env: Readonly<Record<string, string | undefined>>;
  /** The text of a file the policy names; null when it cannot be read. */
  readFile: (path: string) => string | null;
}

function secretsOf(policy: Policy | null, sources: SecretSources): string[] {
  const { env, files } = policy?.redact ?? { env: [], files: [] };
  const globs = [...OWN_VARIABLES, ...env].map((glob) => compileGlob(glob, { of: 'words' }));
  const isNamed = (name: string) => globs.some((glob) => glob.matches(name));
  const found = new Set<string>();
  for (const [name, value] of Object.entries(sources.env)) if (value && isNamed(name)) found.add(value);
  for (const path of files) {
    for (const line of (sources.readFile(path) ?? '').split(/\r?\n/)) {
      const text = line.trim();
      if (text === '') continue;
      found.add(text);
      for (const word of text.split(/[\s=:"']+/)) found.add(word);
    }
  }
  return [...found].filter((secret) => secret.length >= MIN_SECRET_CHARS).sort((a, b) => b.length - a.length);
}

/** A secret of more bytes is found in a part of a file only when the part has all of it. */
const MAX_MARGIN_BYTES = 64 * 1024;

export interface Redact {
  (text: string): string;
  /** How many bytes on either side of a part of a file `part` has to know. */
  marginBytes: number;
  /** The bytes from `from` to `to`, with a mark for each secret that has a byte among them. */
  part(bytes: Buffer, from: number, to: number): Buffer;
  /** How many characters at the end of a text may be the start of a secret whose rest has not arrived yet. */
  undecided(text: string): number;
}

/** Length of the longest end of the text that is a prefix of the secret. */
function secretPrefixAtEnd(text: string, secret: string): number {
  for (let length = Math.min(text.length, secret.length - 1); length > 0; length--) {
    if (text.endsWith(secret.slice(0, length))) return length;
  }
  return 0;
}

/** Length of the longest end of the text that may be the start of a token. */
function tokenPrefixAtEnd(text: string): number {
  for (let length = Math.min(text.length, TOKEN_PREFIX.length + TOKEN_CHARS - 1); length > 0; length--) {
    const end = text.slice(-length);
    if (TOKEN_PREFIX.startsWith(end) || PARTIAL_TOKEN.test(end)) return length;
  }
  return 0;
}

interface Span {
  start: number;
  end: number;
}

/** Where the secrets are in a text, without overlaps. */
function spansOf(text: string, secrets: readonly string[]): Span[] {
  const found: Span[] = [...text.matchAll(TOKEN)].map((match) => {
    return { start: match.index, end: match.index + match[0].length };
  });
  for (const secret of secrets) {
    for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + secret.length)) {
      found.push({ start: at, end: at + secret.length });
    }
  }
  const merged: Span[] = [];
  for (const span of found.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && span.start < last.end) last.end = Math.max(last.end, span.end);
    else merged.push(span);
  }
  return merged;
}

/** Each byte becomes one character, so that places in the text are places in the file. */
function redactPart(bytes: Buffer, { start, end }: Span, secrets: readonly string[]): Buffer {
  if (end <= start) return Buffer.alloc(0);
  const text = bytes.toString('latin1');
  const parts: string[] = [];
  let at = start;
  for (const span of spansOf(text, secrets)) {
    if (span.end <= start || span.start >= end) continue;
    parts.push(text.slice(at, Math.max(at, span.start)), MARK);
    at = span.end;
  }
  parts.push(text.slice(at, Math.max(at, end)));
  return Buffer.from(parts.join(''), 'latin1');
}

/** A function that replaces every secret of the policy by a mark, longest first. */
export function redactor(policy: Policy | null, sources: SecretSources): Redact {
  const secrets = secretsOf(policy, sources);
  const redact = (text: string) =>
    secrets
      .reduce((out, secret) => (out.includes(secret) ? out.replaceAll(secret, () => MARK) : out), text)
      .replace(TOKEN, MARK);
  const undecided = (text: string) =>
    secrets.reduce((most, secret) => Math.max(most, secretPrefixAtEnd(text, secret)), tokenPrefixAtEnd(text));
  const inBytes = secrets.map((secret) => Buffer.from(secret, 'utf8').toString('latin1'));
  const longest = inBytes.reduce((most, secret) => Math.max(most, secret.length), TOKEN_PREFIX.length + TOKEN_CHARS);
  const marginBytes = Math.min(MAX_MARGIN_BYTES, longest - 1);
  const part = (bytes: Buffer, start: number, end: number) => redactPart(bytes, { start, end }, inBytes);
  return Object.assign(redact, { undecided, marginBytes, part });
}
