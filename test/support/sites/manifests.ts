/** Suites in a real Firefox that run with each manifest of the extension. */
import type { ManifestVersion } from '../../../extension/build/manifest.ts';
import { describeWithFirefox } from './open-firefox.ts';

export const MANIFESTS = [2, 3] as const satisfies readonly ManifestVersion[];

export function describeWithManifests(title: string, suite: (manifest: ManifestVersion) => void): void {
  for (const manifest of MANIFESTS) describeWithFirefox(`${title}, with Manifest V${manifest}`, () => suite(manifest));
}
