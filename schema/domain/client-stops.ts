/**
 * A browser that a platform has rejected, or that is signed in with another account than when its links were created, is
 * stopped on that platform until a person resumes it. Its own node decides that first; the edge keeps it with the browser,
 * so that no renewal is sent there.
 */
import type { PlatformState, StopReason } from '../contracts/clients.ts';
import { STOP_REASONS } from '../contracts/clients.ts';
import type { Platform } from '../contracts/common.ts';
import type { DeliveryResult } from '../contracts/renewal.ts';

/** What a browser reported of a platform; null where it has reported nothing. */
export interface BrowserPlatform {
  stopped_reason: string | null;
  fingerprint: string | null;
  /** Of a browser with several logins of the platform. */
  accounts?: PlatformState['accounts'] | null;
}

export function asStopReason(reason: string | null | undefined): StopReason | null {
  return STOP_REASONS.find((known) => known === reason) ?? null;
}

/** Whether a platform's HTTP status says that the browser is not signed in there: asking again changes nothing. */
export function isSignedOutStatus(httpStatus: number | null | undefined): boolean {
  return httpStatus === 401 || httpStatus === 403;
}

/** Why a failed delivery stops its browser, or null: the browser's own reason, else a response that means "signed out". */
export function stopReasonOf(failure: Pick<DeliveryResult, 'reason' | 'http_status'>): StopReason | null {
  return asStopReason(failure.reason) ?? (isSignedOutStatus(failure.http_status) ? 'signed_out' : null);
}

/** Why nothing may be sent through that link, or null. */
export function linkStopped(link: { fingerprint: string | null; client: BrowserPlatform | null }): StopReason | null {
  const { fingerprint, client } = link;
  if (client === null) return null;
  if (client.stopped_reason !== null) return asStopReason(client.stopped_reason) ?? 'signed_out';
  const known = [client, ...(client.accounts ?? [])].flatMap((one) => one.fingerprint ?? []);
  const isChanged = fingerprint !== null && known.length > 0 && !known.includes(fingerprint);
  return isChanged ? 'account_changed' : null;
}

/** The browser's platforms after this one was stopped; the same array when it was stopped before. */
export function stopPlatform(
  platforms: readonly PlatformState[],
  platform: Platform,
  reason: StopReason,
): readonly PlatformState[] {
  const known = platforms.find((one) => one.platform === platform) ?? {
    platform,
    login: 'stale' as const,
    fingerprint: null,
    hooks: [],
    stopped_reason: null,
  };
  if (known.stopped_reason !== null) return platforms;
  const login = reason === 'signed_out' ? 'lost' : known.login;
  return [...platforms.filter((one) => one !== known), { ...known, login, stopped_reason: reason }];
}

/** The browser's platforms after a person resumed one (null: all) of them, and which of them had been stopped. */
export function resumePlatforms(
  platforms: readonly PlatformState[],
  platform: Platform | null,
): { platforms: PlatformState[]; resumed: Platform[] } {
  const stopped = platforms.filter(
    (one) => one.stopped_reason !== null && (platform === null || one.platform === platform),
  );
  return {
    platforms: platforms.map((one) => (stopped.includes(one) ? { ...one, stopped_reason: null } : one)),
    resumed: stopped.map((one) => one.platform),
  };
}
