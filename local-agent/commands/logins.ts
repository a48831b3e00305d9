/** The logins of a browser in words. */
import type { PlatformState } from '../../schema/contracts/clients.ts';

/** Each login of a browser: one for each platform, and for each of its containers. */
export function loginsOf(platforms: readonly Pick<PlatformState, 'platform' | 'login' | 'accounts'>[]): string {
  return platforms
    .flatMap(({ platform, login, accounts }) =>
      (accounts ?? [{ login }]).map((account) => `${platform}:${account.login}`),
    )
    .join(' ');
}
