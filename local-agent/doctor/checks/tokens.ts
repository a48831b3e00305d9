/** Whether the edge accepts the tokens of this root, as whom, and for how long. */
import { join } from 'node:path';
import type { Role, Session } from '../../../schema/contracts/tokens.ts';
import { PLACEHOLDER_SECRETS } from '../../../schema/contracts/tokens.ts';
import { NODE_TOKEN_FILE, OPERATOR_TOKEN_FILE } from '../../config/root-files.ts';
import { EdgeError } from '../../edge/http-client.ts';
import type { Check, Finding, Outcome, Severity } from '../check.ts';
import { found, outcomeOf, Skipped } from '../check.ts';
import type { World } from '../world.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;
const UNAUTHORIZED = 401;

interface Kind {
  title: string;
  token: 'operatorToken' | 'sharedToken';
  file: string;
  variable: string;
  role: Role;
  /** Of a missing token. */
  severity: (world: World) => Severity;
  why: string;
  /** The command that makes a new one, on a host that has an operator's token. */
  create: (world: World) => string;
}

const OPERATOR: Kind = {
  title: "the operator's token",
  token: 'operatorToken',
  file: OPERATOR_TOKEN_FILE,
  variable: 'BAA_OPERATOR_TOKEN',
  role: 'ops_admin',
  severity: ({ hasLocalEdge }) => (hasLocalEdge ? 'warning' : 'note'),
  why: 'commands for people do not work in this root; the agent needs none',
  create: () => 'tokens create --role ops_admin --subject NAME',
};
const NODE: Kind = {
  title: "the node's token",
  token: 'sharedToken',
  file: NODE_TOKEN_FILE,
  variable: 'BAA_SHARED_TOKEN',
  role: 'controller',
  severity: () => 'error',
  why: 'the edge refuses this node: it claims nothing and reports nothing',
  create: ({ config: { nodeId } }) => `tokens create --role controller --subject ${nodeId} --controller-id ${nodeId}`,
};

/** How a new token comes into the root. */
function renewal(world: World, kind: Kind): Pick<Finding, 'advice' | 'command'> {
  if (world.hasLocalEdge) {
    return {
      advice: 'stop the system with Ctrl-C and start it: a start makes the tokens that are missing or not accepted',
      command: world.startCommand(),
    };
  }
  const file = join(world.config.stateDir, kind.file);
  return {
    advice: `run "conductor ${kind.create(world)}" on a host with an operator's token, and write what it prints to ${file} (mode 600)`,
    command: null,
  };
}

function refusal(world: World, kind: Kind, error: unknown): Outcome {
  if (!(error instanceof EdgeError)) throw error;
  if (error.status !== UNAUTHORIZED) throw new Skipped(`the edge did not judge it: ${error.message}`);
  const what = `the edge does not accept ${kind.title}: ${error.code}: ${error.message}`;
  return found({ severity: 'error', what, why: kind.why, ...renewal(world, kind) });
}

/** When a token expires; null when it does not, or this is not known. */
async function expiryOf(world: World, { token_id }: Session): Promise<number | null> {
  try {
    const tokens = await world.facts.tokens();
    return tokens.find((one) => one.token_id === token_id)?.expires_at ?? null;
  } catch {
    return null;
  }
}

async function lookAt(world: World, kind: Kind): Promise<Outcome> {
  const { config } = world;
  const token = config[kind.token];
  if (token === null && world.hasLocalEdge && world.resolved.system === 'unknown') {
    throw new Skipped('no system was started in this root; its first start makes the token');
  }
  if (token === null || PLACEHOLDER_SECRETS.includes(token)) {
    const what = `${kind.title} is ${token === null ? 'missing' : `still ${token}`}: ${kind.variable}, or ${join(config.stateDir, kind.file)}`;
    return found({ severity: kind.severity(world), what, why: kind.why, ...renewal(world, kind) });
  }
  const session = await world.facts.session(token).catch((error: unknown) => refusal(world, kind, error));
  if ('state' in session) return session;
  const { role, subject, controller_id, token_id } = session;
  const findings: Finding[] = [];
  if (role !== kind.role) {
    const what = `${kind.title} has the role ${role}, and ${kind.role} is needed`;
    findings.push({ severity: kind === NODE ? 'error' : 'warning', what, why: kind.why, ...renewal(world, kind) });
  } else if (kind === NODE && controller_id !== config.nodeId && world.resolved.origins.nodeId !== 'default') {
    const what = `${kind.title} belongs to the node ${controller_id}, and this node is ${config.nodeId}`;
    findings.push({ severity: 'error', what, why: kind.why, ...renewal(world, kind) });
  }
  const expires = await expiryOf(world, session);
  const days = expires === null ? null : Math.floor((expires - world.sources.now()) / DAY_MS);
  if (days !== null && days < SOON_DAYS) {
    const what = `${kind.title} (${token_id}) expires in ${days} days`;
    findings.push({ severity: 'warning', what, why: kind.why, ...renewal(world, kind) });
  }
  return outcomeOf(findings, `${token_id}: ${role} for ${subject}${days === null ? '' : `, for ${days} more days`}`);
}

export const operatorToken: Check<World> = {
  id: 'operator-token',
  group: 'edge',
  title: 'Token of the operator',
  look: (world) => lookAt(world, OPERATOR),
};

export const nodeToken: Check<World> = {
  id: 'node-token',
  group: 'edge',
  title: 'Token of the node',
  look: (world) => lookAt(world, NODE),
};
