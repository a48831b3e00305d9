/** The built extension in a Firefox under test, paired with a `BridgeAgent`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { extensionFiles } from '../../../extension/build/files.ts';
import type { ManifestVersion } from '../../../extension/build/manifest.ts';
import { EXTENSION_ID } from '../../../extension/build/manifest.ts';
import { SITES } from '../../../extension/sites/registry.ts';
import { CLIENT } from './bridge-agent.ts';

const SOURCE = resolve(import.meta.dirname, '../../../extension');
const UUID = '5d2a9c3e-2222-4333-8444-955566667777';
export const EXTENSION_ORIGIN = `moz-extension://${UUID}`;
/** Firefox gives an extension another origin in each profile, unless it finds one here. */
export const EXTENSION_PREFERENCES = {
  'extensions.webextensions.uuids': JSON.stringify({ [EXTENSION_ID]: UUID }),
};

/** Builds the extension into `folder`, with the agent's address and token in it. */
export async function buildExtension(
  folder: string,
  agentUrl: string,
  manifestVersion: ManifestVersion = 2,
): Promise<void> {
  const files = await extensionFiles(manifestVersion, { source: SOURCE, version: '1.0.0', sites: SITES });
  const provision = new TextEncoder().encode(JSON.stringify({ agent_url: agentUrl, ...CLIENT, headless: true }));
  for (const [path, contents] of [...files, ['provision.json', provision] as const]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), contents);
  }
}
