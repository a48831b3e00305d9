/** What `init` asks: each value with its default, checked as the setting itself is checked. */
import { NODE_ROLES } from '../../schema/contracts/nodes.ts';
import type { ResolvedConfig } from '../config/resolve.ts';
import type { Setting, SettingKey } from '../config/settings.ts';
import { SETTINGS } from '../config/settings.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { Args } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { UsageError } from './exit-codes.ts';
import type { ProblemOf, Prompts } from './prompts.ts';

/** A token that was given, and whether it may be that of an operator. `BAA_SHARED_TOKEN` names the token of a node. */
export interface GivenToken {
  secret: string;
  mayBeOperator: boolean;
}

function problemOf(key: SettingKey): ProblemOf {
  const { schema }: Setting<unknown> = SETTINGS[key];
  return (value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? null : parsed.error.issues.map(({ message }) => message).join('; ');
  };
}

const TOKEN_QUESTION = 'Token of this node, or of an operator to make a new node';

/** @throws UsageError when there is none */
export async function readGivenToken(deps: CommandDeps, asks: boolean): Promise<GivenToken> {
  const { BAA_SHARED_TOKEN: ofNode, BAA_OPERATOR_TOKEN: ofOperator } = deps.env;
  if (ofNode) return { secret: parseToken(ofNode, deps), mayBeOperator: false };
  if (ofOperator) return { secret: parseToken(ofOperator, deps), mayBeOperator: true };
  const given =
    asks && deps.prompts !== null
      ? await deps.prompts.secret(TOKEN_QUESTION, problemOf('sharedToken'))
      : await deps.readSecret(`${TOKEN_QUESTION}: `);
  return { secret: parseToken(given, deps), mayBeOperator: true };
}

function parseToken(text: string, { env }: CommandDeps): string {
  const token = SETTINGS.sharedToken.schema.safeParse(text.trim());
  if (token.success && token.data !== null) return token.data;
  throw new UsageError(
    `no token: set BAA_SHARED_TOKEN or write the token to standard input; "${printedCommand(env, 'nodes add NAME')}" on the first host creates it. On the first host of a deployed edge set BAA_OPERATOR_TOKEN`,
  );
}

export async function askEdge({ text }: Prompts): Promise<Args> {
  const byDefault = SETTINGS.controlApiBase.fallback({ root: '', host: '', role: 'standby' });
  return { controlApiBase: await text('Address of the edge', byDefault, problemOf('controlApiBase')) };
}

/** The values of the host that no source has given. An operator's token has no node yet, so its id is asked for too. */
export async function askHost(prompts: Prompts, resolved: ResolvedConfig, isNew: boolean): Promise<Args> {
  const { config, origins } = resolved;
  const answers: Record<string, string> = {};
  const isMissing = (key: SettingKey) => origins[key] === 'default';
  if (isMissing('host')) answers.host = await prompts.text('Name of this host', config.host, problemOf('host'));
  const host = answers.host ?? config.host;
  if (isNew && isMissing('nodeId'))
    answers.nodeId = await prompts.text('Id of the new node', host, problemOf('nodeId'));
  if (isMissing('role')) {
    const question = 'Role: a primary node is preferred as the leader, a standby leads when it cannot';
    answers.role = await prompts.choose(question, NODE_ROLES, isNew ? 'primary' : config.role);
  }
  if (isMissing('localApi')) {
    const question = 'Address on this host for the extension and the command line';
    answers.localApi = await prompts.text(question, config.localApi ?? '', problemOf('localApi'));
  }
  return answers;
}
