/** What is deployed: the Worker and the database that wrangler.toml names for an environment. */
import { parse } from 'smol-toml';
import { z } from 'zod';
import { checkValue, firstIssueText } from '../../../schema/contracts/issues.ts';
import { workerOf } from '../../config/deployed.ts';
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
    worker: workerOf(top.name, env, named.name),
    database: database.database_name,
    databaseId: database.database_id ?? null,
    buckets: named.r2_buckets.map(({ bucket_name }) => bucket_name),
  };
}
