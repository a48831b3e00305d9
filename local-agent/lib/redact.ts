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

export interface Redact {
  (text: string): string;
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

/** A function that replaces every secret of the policy by a mark, longest first. */
export function redactor(policy: Policy | null, sources: SecretSources): Redact {
  const secrets = secretsOf(policy, sources);
  const redact = (text: string) =>
    secrets
      .reduce((out, secret) => (out.includes(secret) ? out.replaceAll(secret, () => MARK) : out), text)
      .replace(TOKEN, MARK);
  const undecided = (text: string) =>
    secrets.reduce((most, secret) => Math.max(most, secretPrefixAtEnd(text, secret)), tokenPrefixAtEnd(text));
  return Object.assign(redact, { undecided });
}
