/** The credentials for addons.mozilla.org, under the names that web-ext reads. */

const CREDENTIALS = { WEB_EXT_API_KEY: 'the "JWT issuer"', WEB_EXT_API_SECRET: 'the "JWT secret"' } as const;
const KEYS_PAGE = 'https://addons.mozilla.org/developers/addon/api/key/';

/** Says which credentials are missing and where they come from; null when both are there. */
export function missingCredentials(env: Readonly<Record<string, string | undefined>>): string | null {
  const missing = Object.entries(CREDENTIALS).filter(([name]) => !env[name]);
  if (missing.length === 0) return null;
  const names = missing.map(([name, what]) => `${name} (${what})`).join(' and ');
  const verb = missing.length === 1 ? 'is' : 'are';
  return `${names} ${verb} not set. Create a key at ${KEYS_PAGE}, set it in the environment, and run this again. Nothing was sent.`;
}
