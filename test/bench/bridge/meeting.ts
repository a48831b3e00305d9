/** What the benchmark and its servers know of each other. */

/** The one browser that is paired with the bridge. */
export const PAIRED = {
  origin: 'moz-extension://6f1c2f0e-1111-4222-8333-944455556666',
  client_id: 'firefox-bench',
  token: 'the-token-of-the-benchmark',
} as const;

/** What the servers report when all of them listen. */
export interface Addresses {
  bridge: string;
  wsEcho: string;
  wsEchoStored: string;
  http: string;
  tcpPort: number;
}
