/** What the steps of one deploy share. */
import type { KeptFiles } from '../../config/deployed.ts';
import type { EdgeClient } from '../../edge/http-client.ts';
import { shellWord } from '../../lib/printed-command.ts';
import type { Target } from './target.ts';
import type { RunWrangler } from './wrangler.ts';

export interface DeployFlags {
  dryRun: boolean;
  /** Sets a new bootstrap secret, also when there is one. */
  newSecret: boolean;
  /** Writes the address into config.toml without a question. */
  writeConfig: boolean;
  /** The address of the edge, when wrangler cannot know it. */
  address: string | null;
}

export interface Deployment {
  target: Target;
  flags: DeployFlags;
  /** The folder of wrangler.toml. */
  folder: string;
  root: string;
  files: KeptFiles;
  env: Readonly<Record<string, string | undefined>>;
  /** `--env=…` of the environment; empty for the one at the top of wrangler.toml. */
  envArg: string;
  run: RunWrangler;
  /** Migrations that are not committed. */
  changedMigrations: () => string[];
  /** Prints a line. */
  say: (line: string) => void;
  /** Says the step that begins now; its result is said after it. */
  begin: (step: string) => void;
  /** Asks a person yes or no; null when there is no person to ask. */
  confirm: ((question: string) => Promise<boolean>) | null;
  connect: (baseUrl: string, token: string) => EdgeClient;
  now: () => number;
  wait: (ms: number) => Promise<void>;
  /** Set by the first step. */
  accountId: string | null;
  /** Set by the deploy. */
  address: string | null;
}

/** The line that runs this deploy, with a further option. */
export function deployLine({ root, target }: Deployment, option: string): string {
  const env = target.env === '' ? '' : ` --env ${target.env}`;
  return `npm run deploy -- --root ${shellWord(root)}${env} ${option}`;
}

export interface Step {
  name: string;
  /** What it does, for `--dry-run`. */
  would: string;
  /** Resolves with its result in a line. @throws StepError */
  run: (deployment: Deployment) => Promise<string>;
}
