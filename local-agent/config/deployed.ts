/** What a deploy keeps below its root, in `state/deploy/`, and which environment of wrangler.toml it was. */
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { readJson } from '../../schema/json-text.ts';
import { readOwnFile } from '../host/own-files.ts';
import { BOOTSTRAP_FILE, deployFolderOf, NEXT_BOOTSTRAP_FILE } from './root-files.ts';

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

/** The name of the Worker of an environment, as wrangler gives it. */
export function workerOf(top: string, env: string, own: string | undefined): string {
  return env === '' ? top : (own ?? `${top}-${env}`);
}

const WorkersSchema = z.object({
  name: z.string(),
  env: z.record(z.string(), z.object({ name: z.string().optional() })).default({}),
});

/** The environment of wrangler.toml that deploys the Worker, empty for its top; null when none does. */
export function environmentOf(toml: string, worker: string): string | null {
  const parsed = WorkersSchema.safeParse(parse(toml));
  if (!parsed.success) return null;
  const { name, env } = parsed.data;
  return ['', ...Object.keys(env)].find((key) => workerOf(name, key, env[key]?.name) === worker) ?? null;
}
