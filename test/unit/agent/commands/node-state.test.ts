import { expect, it } from 'vitest';
import { nodeState } from '../../../../local-agent/commands/status.ts';

it.each([
  ['leader', { connected: true, contact_age_ms: 10 }, 'leader'],
  ['leader', { connected: false, contact_age_ms: 75_000 }, 'leader (not connected for 75 s)'],
  ['standby', { connected: false, contact_age_ms: 600_000 }, 'standby (not connected for 10 min)'],
  ['degraded', { connected: false, contact_age_ms: 3 * 3_600_000 }, 'degraded (not connected for 3 h)'],
  ['leader', { connected: false, contact_age_ms: null }, 'leader (not connected)'],
] as const)('a node that reported %s with %o is listed as %s', (status, presence, shown) => {
  expect(nodeState({ status, presence })).toBe(shown);
});
