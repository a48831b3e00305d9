/** The registry of routes. app.ts mounts it; the OpenAPI document and the tests of every route derive from it. */
import { askRoutes } from './asks/asks.routes.ts';
import { session } from './auth/session.routes.ts';
import { tokens } from './auth/tokens.routes.ts';
import { apiDocs } from './http/api-docs.routes.ts';
import type { MountedRoute } from './http/route.ts';
import { artifacts } from './instructions/artifacts.routes.ts';
import { grants } from './instructions/grants.routes.ts';
import { instructions } from './instructions/instructions.routes.ts';
import { journal } from './instructions/journal.routes.ts';
import { mcp } from './mcp/mcp.routes.ts';
import { messages } from './messages/messages.routes.ts';
import { browsers } from './nodes/browsers.routes.ts';
import { commands } from './nodes/commands.routes.ts';
import { leader } from './nodes/leader.routes.ts';
import { controllers } from './nodes/nodes.routes.ts';
import { notices } from './notices/notices.routes.ts';
import { renewal } from './renewal/conversations.routes.ts';
import { renewalJobs } from './renewal/jobs.routes.ts';
import { renewalSettings } from './renewal/settings.routes.ts';
import { audit } from './system/audit.routes.ts';
import { events } from './system/events.routes.ts';
import { system } from './system/mode.routes.ts';
import { restore } from './system/restore.routes.ts';
import { searching } from './system/search.routes.ts';
import { status } from './system/status.routes.ts';
import { runs } from './tasks/runs.routes.ts';
import { steps } from './tasks/steps.routes.ts';
import { tasks } from './tasks/tasks.routes.ts';
import { timedJobs } from './timed-jobs/ticks.routes.ts';

const RESOURCES: readonly MountedRoute[] = [
  ...status,
  ...system,
  ...restore,
  ...leader,
  ...controllers,
  ...commands,
  ...messages,
  ...instructions,
  ...grants,
  ...journal,
  ...browsers,
  ...renewal,
  ...renewalSettings,
  ...renewalJobs,
  ...askRoutes,
  ...tasks,
  ...steps,
  ...runs,
  ...timedJobs,
  ...artifacts,
  ...events,
  ...tokens,
  ...session,
  ...audit,
  ...notices,
  ...mcp,
  ...searching,
];

export const ROUTES: readonly MountedRoute[] = [...RESOURCES, ...apiDocs(RESOURCES)];
