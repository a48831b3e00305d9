/** Whether the edge accepts the tokens of this root, as whom, and for how long. */
import { join } from 'node:path';
import type { Role, Session, Token } from '../../../schema/contracts/tokens.ts';
import { PLACEHOLDER_SECRETS } from '../../../schema/contracts/tokens.ts';
import { NODE_TOKEN_FILE, OPERATOR_TOKEN_FILE } from '../../config/root-files.ts';
import { placeOf } from '../../config/setting-place.ts';
import { NAMED } from '../../config/system-kind.ts';
import { EdgeError } from '../../edge/http-client.ts';
import { programName, shellWord } from '../../lib/printed-command.ts';
import type { Check, Finding, Outcome, Severity } from '../check.ts';
import { found, outcomeOf, Skipped } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { World } from '../world.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;
/** Of a token that was made to last longer. */
const LIFE_MAX_MS = 365 * DAY_MS;
const UNAUTHORIZED = 401;

/** Which finding each fault of a token is. */
interface Codes {
  missing: FindingCode;
  refused: FindingCode;
  role: FindingCode;
  ofOther: FindingCode;
  expires: FindingCode;
}

interface Kind {
  codes: Codes;
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
  codes: {
    missing: 'operator_token_missing',
    refused: 'operator_token_refused',
    role: 'operator_token_role',
    // It is bound to no node.
    ofOther: 'operator_token_role',
    expires: 'operator_token_expires',
  },
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
  codes: {
    missing: 'node_token_missing',
    refused: 'node_token_refused',
    role: 'node_token_role',
    ofOther: 'node_token_of_other',
    expires: 'node_token_expires',
  },
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
async function renewal(world: World, kind: Kind): Promise<Pick<Finding, 'advice' | 'command'>> {
  const origin = world.resolved.origins[kind.token];
  // It comes before the file that a start writes.
  if (NAMED.has(origin)) {
    const { how } = await world.startAgain();
    const isVariable = origin === 'environment';
    return {
      advice: `it is from ${placeOf(kind.token, origin)}, which comes before the file of the root: remove it there, also where the agent is started; when no file has a token, then ${how}`,
      command: isVariable ? `unset ${kind.variable}` : null,
    };
  }
  if (world.hasLocalEdge) {
    const { how, command } = await world.startAgain();
    return { advice: `${how}: a start makes the tokens that are missing or not accepted`, command };
  }
  const file = join(world.config.stateDir, kind.file);
  return {
    advice: `on a host that has an operator's token run "${programName(world.sources.env)} ${kind.create(world)}". Then run this line here and give it the token that was printed: Enter, then Ctrl-D${kind === NODE ? '; the agent reads it at its start' : ''}`,
    command: `(umask 077; cat > ${shellWord(file)})`,
  };
}

/** The token and the node id name two nodes. Where a person has named the id, only that person knows which one is meant. */
async function otherNode(world: World, bound: string | null): Promise<Pick<Finding, 'advice' | 'command'>> {
  const { nodeId } = world.config;
  const origin = world.resolved.origins.nodeId;
  const renewed = await renewal(world, NODE);
  if (!NAMED.has(origin)) return renewed;
  return {
    ...renewed,
    advice: `when this node is ${bound}, correct its id, which is from ${placeOf('nodeId', origin)}. When it is meant to be ${nodeId}, a node with a token of its own, ${renewed.advice}`,
  };
}

async function refusal(world: World, kind: Kind, error: unknown): Promise<Outcome> {
  if (!(error instanceof EdgeError)) throw error;
  if (error.status !== UNAUTHORIZED) throw new Skipped(`the edge did not judge it: ${error.message}`);
  const what = `the edge does not accept ${kind.title}: ${error.code}: ${error.message}`;
  return found({ code: kind.codes.refused, severity: 'error', what, why: kind.why, ...(await renewal(world, kind)) });
}

/** The token as the edge lists it; null when this is not known. */
async function listed(world: World, { token_id }: Session): Promise<Token | null> {
  try {
    const tokens = await world.facts.tokens();
    return tokens.find((one) => one.token_id === token_id) ?? null;
  } catch {
    return null;
  }
}

/** A new secret that lasts as long as the token did. A token that is still valid is not replaced by a start. */
async function rotation(world: World, kind: Kind, { token_id, lifeMs }: { token_id: string; lifeMs: number }) {
  const { how } = await world.startAgain();
  const after = kind === NODE ? `. The agent reads it at its start: then ${how}` : '';
  const command = world.command(`tokens rotate ${token_id} --expires-in-ms ${lifeMs}`);
  return { advice: `give it a new secret and a new end; its file here is replaced${after}`, command };
}

async function lookAt(world: World, kind: Kind): Promise<Outcome> {
  const { config } = world;
  const token = config[kind.token];
  if (token === null && world.hasLocalEdge && world.resolved.system === 'unknown') {
    throw new Skipped('no system was started in this root; its first start makes the token');
  }
  if (token === null || PLACEHOLDER_SECRETS.includes(token)) {
    const what = `${kind.title} is ${token === null ? 'missing' : `still ${token}`}: ${kind.variable}, or ${join(config.stateDir, kind.file)}`;
    return found({
      code: kind.codes.missing,
      severity: kind.severity(world),
      what,
      why: kind.why,
      ...(await renewal(world, kind)),
    });
  }
  const session = await world.facts.session(token).catch((error: unknown) => refusal(world, kind, error));
  if ('state' in session) return session;
  const { role, subject, controller_id, token_id } = session;
  const findings: Finding[] = [];
  if (role !== kind.role) {
    const what = `${kind.title} has the role ${role}, and ${kind.role} is needed`;
    findings.push({
      code: kind.codes.role,
      severity: kind === NODE ? 'error' : 'warning',
      what,
      why: kind.why,
      ...(await renewal(world, kind)),
    });
  } else if (kind === NODE && controller_id !== config.nodeId && world.resolved.origins.nodeId !== 'default') {
    const what = `${kind.title} belongs to the node ${controller_id}, and this node is ${config.nodeId}`;
    findings.push({
      code: kind.codes.ofOther,
      severity: 'error',
      what,
      why: kind.why,
      ...(await otherNode(world, controller_id)),
    });
  }
  const { expires_at = null, created_at = 0 } = (await listed(world, session)) ?? {};
  const days = expires_at === null ? null : Math.floor((expires_at - world.sources.now()) / DAY_MS);
  if (expires_at !== null && days !== null && days < SOON_DAYS) {
    const what = `${kind.title} (${token_id}) expires in ${days} days`;
    const lifeMs = Math.min(Math.max(expires_at - created_at, DAY_MS), LIFE_MAX_MS);
    const advised = await rotation(world, kind, { token_id, lifeMs });
    findings.push({ code: kind.codes.expires, severity: 'warning', what, why: kind.why, ...advised });
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
