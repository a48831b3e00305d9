/** Every check of `doctor`, in the order in which a person reads them. */
import type { Check } from './check.ts';
import { agent } from './checks/agent.ts';
import { browsers } from './checks/browsers.ts';
import { clock } from './checks/clock.ts';
import { config } from './checks/config.ts';
import { deadlines } from './checks/deadlines.ts';
import { diskSpace } from './checks/disk-space.ts';
import { edge } from './checks/edge.ts';
import { edgeVersion } from './checks/edge-version.ts';
import { firefox } from './checks/firefox.ts';
import { folders } from './checks/folders.ts';
import { git } from './checks/git.ts';
import { leader } from './checks/leader.ts';
import { migrations } from './checks/migrations.ts';
import { nodeVersion } from './checks/node-version.ts';
import { objects } from './checks/objects.ts';
import { outbox } from './checks/outbox.ts';
import { policy } from './checks/policy.ts';
import { ports } from './checks/ports.ts';
import { rights } from './checks/rights.ts';
import { service } from './checks/service.ts';
import { system } from './checks/system.ts';
import { codingAgents, repositories } from './checks/tasks.ts';
import { nodeToken, operatorToken } from './checks/tokens.ts';
import type { World } from './world.ts';

export const CHECKS: readonly Check<World>[] = [
  nodeVersion,
  git,
  config,
  folders,
  rights,
  diskSpace,
  policy,
  system,
  ports,
  agent,
  outbox,
  service,
  edge,
  clock,
  edgeVersion,
  operatorToken,
  nodeToken,
  migrations,
  objects,
  deadlines,
  leader,
  firefox,
  browsers,
  repositories,
  codingAgents,
];
