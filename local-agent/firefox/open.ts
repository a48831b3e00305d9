/**
 * Starts a Firefox whose extension belongs to one agent: profile, preferences, archive, process. Whether the extension has
 * connected is the agent's to say.
 */
import { join } from 'node:path';
import { readOwnFile, replacePrivateFile } from '../host/own-files.ts';
import type { ExtensionArchive, Provision } from './archive.ts';
import { installedPath, removeInstalled, writeProvisioned } from './archive.ts';
import { Bidi } from './bidi.ts';
import type { Prefs } from './prefs.ts';
import { prefsOf, userJs, withoutPrefs } from './prefs.ts';
import { FirefoxProcess } from './process.ts';
import type { Identity } from './profile.ts';
import { saveIdentity } from './profile.ts';

const TEMPORARY_ARCHIVE = 'conductor-firefox.xpi';

export interface OpenOptions {
  program: string;
  profile: string;
  identity: Identity;
  archive: ExtensionArchive;
  provision: Provision;
  headless: boolean;
  /** Leaves WebDriver BiDi open. */
  bidi: boolean;
  /** Installs over WebDriver BiDi, until Firefox is closed. */
  temporary: boolean;
  given: Prefs;
  url: string | null;
  env: Readonly<Record<string, string | undefined>>;
}

/** @throws Error when Firefox does not start, or refuses the extension; it is closed then */
export async function openFirefox(options: OpenOptions): Promise<FirefoxProcess> {
  const { profile, archive, provision, temporary } = options;
  writePrefs(options);
  if (temporary) removeInstalled(profile, archive);
  else writeProvisioned(installedPath(profile, archive), archive, provision);
  const firefox = await FirefoxProcess.start({ ...options, bidi: options.bidi || temporary });
  try {
    if (options.bidi || temporary) await firefox.bidiUrl();
    if (temporary) await installTemporarily(options, await firefox.bidiUrl());
    return firefox;
  } catch (error) {
    await firefox.close();
    throw error;
  }
}

function writePrefs({ profile, identity, archive, temporary, given, env }: OpenOptions): void {
  const saved = join(profile, 'prefs.js');
  const prefsJs = readOwnFile(saved) ?? '';
  const prefs = prefsOf(
    {
      isUnsigned: !temporary,
      isOffline: Boolean(env.MOZ_DISABLE_NONLOCAL_CONNECTIONS) && env.MOZ_DISABLE_NONLOCAL_CONNECTIONS !== '0',
      extensionId: archive.id,
      uuid: identity.uuid,
      given,
    },
    prefsJs,
  );
  const dropped = identity.prefs.filter((name) => !(name in prefs));
  if (dropped.length > 0) replacePrivateFile(saved, withoutPrefs(prefsJs, dropped));
  replacePrivateFile(join(profile, 'user.js'), userJs(prefs));
  saveIdentity(profile, { ...identity, prefs: Object.keys(prefs) });
}

async function installTemporarily({ profile, archive, provision }: OpenOptions, url: string): Promise<void> {
  const path = join(profile, TEMPORARY_ARCHIVE);
  writeProvisioned(path, archive, provision);
  const bidi = await Bidi.open(url);
  try {
    await bidi.installExtension(path, 'archivePath');
  } finally {
    await bidi.end();
  }
}
