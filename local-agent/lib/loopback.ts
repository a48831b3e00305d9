/** The names by which a program on this machine reaches this machine, as they are in an address. */
export const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'] as const;

export function isLoopback(hostname: string): boolean {
  return LOOPBACK_NAMES.some((name) => name === hostname);
}
