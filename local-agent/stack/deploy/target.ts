/** What is deployed: the Worker and the database that wrangler.toml names for an environment. */
import { parse } from 'smol-toml';
import { z } from 'zod';
import { checkValue, firstIssueText } from '../../../schema/contracts/issues.ts';
import { StepError } from './step-error.ts';

const DATABASE = 'DB';
const DatabasesSchema = z.array(
  z.object({ binding: z.string(), database_name: z.string(), database_id: z.string().optional() }),
);
const BucketsSchema = z.array(z.object({ bucket_name: z.string() })).default([]);
const EnvironmentSchema = z.object({
  name: z.string().optional(),
  d1_databases: DatabasesSchema,
  r2_buckets: BucketsSchema,
});
const ConfigSchema = EnvironmentSchema.extend({
  name: z.string(),
  env: z.record(z.string(), EnvironmentSchema).default({}),
});

export interface Target {
  /** The environment of wrangler.toml; empty for the one at its top. */
  env: string;
  worker: string;
  database: string;
  databaseId: string | null;
  /** Buckets of R2, which are optional. */
  buckets: string[];
}

/** The environment of wrangler.toml that deploys the Worker, empty for its top; null when none does. */
export function environmentOf(toml: string, worker: string): string | null {
  const parsed = ConfigSchema.safeParse(parse(toml));
  if (!parsed.success) return null;
  const { name, env } = parsed.data;
  const workers = [['', name], ...Object.entries(env).map(([key, one]) => [key, one.name ?? `${name}-${key}`])];
  return workers.find(([, own]) => own === worker)?.[0] ?? null;
}

/** @throws StepError when the configuration has no such environment or no database */
export function targetOf(toml: string, env: string): Target {
  const parsed = checkValue(ConfigSchema, parse(toml));
  if (!parsed.success) {
    throw new StepError(
      'wrangler.toml is not complete',
      firstIssueText(parsed.error, 'wrangler.toml'),
      'compare it with the file of this version: git diff wrangler.toml',
    );
  }
  const { env: environments, ...top } = parsed.data;
  const named = env === '' ? top : environments[env];
  const known = Object.keys(environments).join(', ');
  if (named === undefined) {
    throw new StepError(
      `wrangler.toml has no environment ${env}`,
      `it has: ${known || 'none'}`,
      'name one of these, or leave --env out',
    );
  }
  const database = named.d1_databases.find(({ binding }) => binding === DATABASE);
  if (database === undefined) {
    throw new StepError(
      `the environment ${env || 'at the top'} of wrangler.toml has no database with the binding ${DATABASE}`,
      'bindings are not inherited by environments',
      'write its [[d1_databases]] as the other environment has it',
    );
  }
  return {
    env,
    worker: named.name ?? `${top.name}-${env}`,
    database: database.database_name,
    databaseId: database.database_id ?? null,
    buckets: named.r2_buckets.map(({ bucket_name }) => bucket_name),
  };
}
