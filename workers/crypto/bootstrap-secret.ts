/** The secret that an operator sets for the Worker: the first operator token, and the root of every signing key. */
import { BOOTSTRAP_SECRET_MIN_CHARS, PLACEHOLDER_SECRETS } from '../../schema/contracts/tokens.ts';
import { AppError } from '../../schema/errors.ts';

/** Throws `auth_not_configured` while the secret is unset, a placeholder or too short. */
export function bootstrapSecret(env: Env): string {
  const secret = env.BAA_BOOTSTRAP_TOKEN ?? '';
  const isSet = !PLACEHOLDER_SECRETS.includes(secret.trim());
  if (isSet && secret.length >= BOOTSTRAP_SECRET_MIN_CHARS) return secret;
  throw new AppError(
    'auth_not_configured',
    `${isSet ? 'the secret BAA_BOOTSTRAP_TOKEN is too short' : 'set the secret BAA_BOOTSTRAP_TOKEN'}: ` +
      `at least ${BOOTSTRAP_SECRET_MIN_CHARS} random characters (wrangler secret put BAA_BOOTSTRAP_TOKEN)`,
  );
}
