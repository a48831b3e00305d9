/** Every route, once. The application mounts this list; OpenAPI and the tests that try every route read it. */
import type { MountedRoute } from '../route.ts';
import { apiDocs } from './api-docs.ts';
import { artifacts } from './artifacts.ts';
import { audit } from './audit.ts';
import { clients } from './clients.ts';
import { commands } from './commands.ts';
import { controllers } from './controllers.ts';
import { events } from './events.ts';
import { instructions } from './instructions.ts';
import { leader } from './leader.ts';
import { messages } from './messages.ts';
import { renewal } from './renewal.ts';
import { renewalJobs } from './renewal-jobs.ts';
import { restore } from './restore.ts';
import { status } from './status.ts';
import { system } from './system.ts';
import { timedJobs } from './timed-jobs.ts';
import { tokens } from './tokens.ts';

const RESOURCES: readonly MountedRoute[] = [
  ...status,
  ...system,
  ...restore,
  ...leader,
  ...controllers,
  ...clients,
  ...commands,
  ...messages,
  ...instructions,
  ...renewal,
  ...renewalJobs,
  ...timedJobs,
  ...artifacts,
  ...events,
  ...tokens,
  ...audit,
];

export const ROUTES: readonly MountedRoute[] = [...RESOURCES, ...apiDocs(RESOURCES)];
