/** What a deploy keeps below its root, in `state/deploy/`: for the next run, and for the way back. */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../../../schema/json-text.ts';
import { BOOTSTRAP_FILE, deployFolderOf, edgeStateOf, NEXT_BOOTSTRAP_FILE } from '../../config/root-files.ts';
import { makePrivateFile, makePrivateFolder, readOwnFile, replacePrivateFile } from '../../host/own-files.ts';
import type { RootFacts } from './decide.ts';

const DeployedSchema = z.object({
  worker: z.string(),
  address: z.string().nullable(),
  version_id: z.string().nullable(),
  /** The version that it replaced. */
  previous_version_id: z.string().nullable(),
});
export type Deployed = z.infer<typeof DeployedSchema>;

export interface KeptFiles {
  folder: string;
  deployed: string;
  bookmarks: string;
  /** The secret that the Worker has. */
  secret: string;
  /** The one that replaces it, until the Worker has it. */
  nextSecret: string;
}

export function keptFilesOf(root: string): KeptFiles {
  const folder = deployFolderOf(root);
  return {
    folder,
    deployed: join(folder, 'deployed.json'),
    bookmarks: join(folder, 'bookmarks.jsonl'),
    secret: join(folder, BOOTSTRAP_FILE),
    nextSecret: join(folder, NEXT_BOOTSTRAP_FILE),
  };
}

/** What the last deploy with this root was; null before the first, and for a file that cannot be read. */
export function readDeployed({ deployed }: KeptFiles, readFile = readOwnFile): Deployed | null {
  const text = readFile(deployed);
  const read = text === null ? null : readJson(text);
  const parsed = DeployedSchema.safeParse(read?.ok === true ? read.value : null);
  return parsed.success ? parsed.data : null;
}

export function keepDeployed({ deployed }: KeptFiles, value: Deployed): void {
  replacePrivateFile(deployed, `${JSON.stringify(value, null, 2)}\n`);
}

/** Adds a line to the bookmarks, which are never removed: each is valid for as long as Time Travel reaches back. */
export function keepBookmark(files: KeptFiles, line: Readonly<Record<string, unknown>>): void {
  makePrivateFolder(files.folder);
  appendFileSync(files.bookmarks, `${JSON.stringify(line)}\n`);
  makePrivateFile(files.bookmarks);
}

export function rootFacts(root: string): RootFacts {
  return {
    root,
    hasLocalEdge: existsSync(edgeStateOf(root)),
    worker: readDeployed(keptFilesOf(root))?.worker ?? null,
  };
}
