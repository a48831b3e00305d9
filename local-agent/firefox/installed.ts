/** What Firefox has made of the archive in its profile, for the message when the extension does not connect. */
import { join } from 'node:path';
import { z } from 'zod';
import { readOwnFile } from '../host/own-files.ts';

const AddonsSchema = z.object({
  addons: z.array(
    z.looseObject({
      id: z.string(),
      active: z.boolean().default(false),
      userDisabled: z.boolean().default(false),
      appDisabled: z.boolean().default(false),
    }),
  ),
});

/** Why that extension does not run in the profile; null when Firefox runs it. */
export function whyNotRunning(profile: string, extensionId: string): string | null {
  const text = readOwnFile(join(profile, 'extensions.json'));
  const addons = AddonsSchema.safeParse(parse(text));
  if (!addons.success) return 'Firefox has not written which extensions it has';
  const found = addons.data.addons.find(({ id }) => id === extensionId);
  if (found === undefined) return 'Firefox has not taken the archive in the profile';
  if (found.active) return null;
  if (found.userDisabled) return 'the extension is turned off in about:addons; turn it on there';
  if (found.appDisabled) {
    return 'Firefox has refused the extension: this build takes signed extensions only, or it is older than Firefox 140; use ESR, Developer Edition or Nightly, or --temporary';
  }
  return 'the extension is not active in about:addons';
}

function parse(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
