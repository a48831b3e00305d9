/** `[repos]` and `[agents.<name>]` of config.toml: what tasks may use on this host. */
import { z } from 'zod';
import { RepoNameSchema } from '../../schema/contracts/tasks.ts';
import { AgentsSchema } from './agent-settings.ts';
import { folder } from './values.ts';

export const HOST_TABLES = {
  /** The folder of each repository, by the name that tasks give it. */
  repos: z.record(RepoNameSchema, folder).default({}),
  agents: AgentsSchema.default({}),
};
export const HostTablesSchema = z.object(HOST_TABLES);
export type HostTables = z.output<typeof HostTablesSchema>;
