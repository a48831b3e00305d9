/** What a person sets on the options page. */
import { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import type { StorageArea } from './storage.ts';
import { STORAGE_KEYS, Stored } from './storage.ts';

export const SettingsSchema = z.object({
  /** Where the agent listens. */
  agent_url: z.string().max(256).default(BRIDGE.default_local_api),
  /** Sites on which nothing is captured and nothing sent. */
  sites_off: z.array(PlatformSchema).max(16).default([]),
  /** Whether Firefox notifies of what waits for a person; null: as long as a person can see it. */
  notices: z.boolean().nullable().default(null),
});
export type Settings = z.infer<typeof SettingsSchema>;

export function storedSettings(area: StorageArea): Stored<Settings> {
  return new Stored<Settings>(area, STORAGE_KEYS.settings, SettingsSchema, SettingsSchema.parse({}));
}

/** The hosts that the extension's own content policy admits. */
const LOOPBACK = /^(localhost|127\.0\.0\.1)$/;

/** The address of the bridge of that agent; null when it is not one on this machine. */
export function bridgeUrl(agentUrl: string): string | null {
  const url = URL.parse(agentUrl);
  if (url === null || url.protocol !== 'http:' || !LOOPBACK.test(url.hostname)) return null;
  return `ws://${url.host}/ws/firefox`;
}
