/** Every route, once. The application mounts this list; OpenAPI and the tests that try every route read it. */
import type { MountedRoute } from '../route.ts';
import { apiDocs } from './api-docs.ts';
import { artifacts } from './artifacts.ts';
import { audit } from './audit.ts';
import { browser } from './browser.ts';
import { clientResume } from './client-resume.ts';
import { clients } from './clients.ts';
import { commands } from './commands.ts';
import { controllers } from './controllers.ts';
import { events } from './events.ts';
import { instructions } from './instructions.ts';
import { journal } from './journal.ts';
import { leader } from './leader.ts';
import { messages } from './messages.ts';
import { renewal } from './renewal.ts';
import { renewalJobs } from './renewal-jobs.ts';
import { renewalSettings } from './renewal-settings.ts';
import { restore } from './restore.ts';
import { session } from './session.ts';
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
  ...clientResume,
  ...commands,
  ...messages,
  ...instructions,
  ...journal,
  ...browser,
  ...renewal,
  ...renewalSettings,
  ...renewalJobs,
  ...timedJobs,
  ...artifacts,
  ...events,
  ...tokens,
  ...session,
  ...audit,
];

export const ROUTES: readonly MountedRoute[] = [...RESOURCES, ...apiDocs(RESOURCES)];
