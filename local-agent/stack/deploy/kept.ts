/** What a deploy keeps below its root, in `state/deploy/`: for the next run, and for the way back. */
import { appendFileSync, existsSync } from 'node:fs';
import type { Deployed, KeptFiles } from '../../config/deployed.ts';
import { keptFilesOf, readDeployed } from '../../config/deployed.ts';
import { edgeStateOf } from '../../config/root-files.ts';
import { makePrivateFile, makePrivateFolder, replacePrivateFile } from '../../host/own-files.ts';
import type { RootFacts } from './decide.ts';

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
