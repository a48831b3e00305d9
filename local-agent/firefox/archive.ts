/**
 * The archive of the extension: made from the sources when it is older than them, and copied into the profile with
 * `provision.json`, which gives the extension its agent, its id and its token. That copy is for this user only, and no page
 * can read a file of the extension.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync, zipSync } from 'fflate';
import { z } from 'zod';
import type { PairingBody } from '../../schema/contracts/local-api.ts';
import { isOlderThan } from '../host/newest-change.ts';

const run = promisify(execFile);
const BUILD_TIMEOUT_MS = 120_000;
/** What the archive is made of, below the folder of the program. */
const SOURCES = ['extension', 'schema', 'package.json'];
const PROVISION_FILE = 'provision.json';

export type ManifestVersion = 2 | 3;

/** Which agent the extension belongs to, as whom, and whether a person can see what it shows. */
export interface Provision {
  agent_url: string;
  client_id: PairingBody['client_id'];
  token: PairingBody['token'];
  headless: boolean;
}

const ManifestSchema = z.looseObject({
  version: z.string(),
  browser_specific_settings: z.looseObject({ gecko: z.looseObject({ id: z.string() }) }),
});

export interface ExtensionArchive {
  path: string;
  id: string;
  version: string;
}

/** Whether the sources below `program` have changed since the archive was made. */
export function isOutdated(program: string, archive: string): boolean {
  return isOlderThan(
    archive,
    SOURCES.map((source) => join(program, source)),
  );
}

export interface BuildOptions {
  /** The folder of this program. */
  program: string;
  version: string;
  manifestVersion: ManifestVersion;
  say: (line: string) => void;
}

/** The archive, made now when the sources are newer. @throws Error when it cannot be made */
export async function builtArchive({
  program,
  version,
  manifestVersion,
  say,
}: BuildOptions): Promise<ExtensionArchive> {
  const path = join(program, 'dist', 'extension', `baa-conductor-${version}-mv${manifestVersion}.xpi`);
  if (isOutdated(program, path)) {
    say('building the extension');
    await build(join(program, 'extension', 'build', 'main.ts'));
  }
  const manifest = ManifestSchema.parse(JSON.parse(new TextDecoder().decode(entriesOf(path)['manifest.json'])));
  return { path, id: manifest.browser_specific_settings.gecko.id, version: manifest.version };
}

async function build(script: string): Promise<void> {
  try {
    await run(process.execPath, [script], { timeout: BUILD_TIMEOUT_MS });
  } catch (error) {
    const words = z.object({ stderr: z.string() }).safeParse(error).data?.stderr.trim();
    throw new Error(`the extension was not built: ${words || String(error)}`, { cause: error });
  }
}

function entriesOf(archive: string): Record<string, Uint8Array> {
  return unzipSync(readFileSync(archive));
}

/** Where Firefox looks for the archive of an extension that is installed in a profile. */
export function installedPath(profile: string, { id }: ExtensionArchive): string {
  return join(profile, 'extensions', `${id}.xpi`);
}

/** Writes the archive with the provision, with mode 0600. */
export function writeProvisioned(target: string, archive: ExtensionArchive, provision: Provision): void {
  const text = new TextEncoder().encode(`${JSON.stringify(provision, null, 2)}\n`);
  const contents = zipSync({ ...entriesOf(archive.path), [PROVISION_FILE]: text });
  mkdirSync(join(target, '..'), { recursive: true, mode: 0o700 });
  const written = `${target}.new`;
  writeFileSync(written, contents, { mode: 0o600 });
  renameSync(written, target);
}

export function removeInstalled(profile: string, archive: ExtensionArchive): void {
  rmSync(installedPath(profile, archive), { force: true });
}
