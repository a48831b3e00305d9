/**
 * `conversations forget`: has the edge remove what was said and done in a conversation, and follows until it is gone. It asks
 * first, because nothing brings it back.
 */
import { Option } from 'commander';
import { ConversationDetailSchema } from '../../schema/contracts/conversations.ts';
import type { ForgetState, Forgotten } from '../../schema/contracts/forget.ts';
import { ForgetStateSchema } from '../../schema/contracts/forget.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { pause } from '../lib/clock.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT, RefusedError } from './exit-codes.ts';
import { present } from './output.ts';

const LOOK_MS = 1_000;
/** A large conversation takes longer; the edge continues by itself. */
const FOLLOW_MS = 60_000;

/** @throws RefusedError without a person to ask */
async function confirmed(args: Args, deps: CommandDeps, id: string): Promise<boolean> {
  if (args.yes === true) return true;
  if (deps.prompts === null) {
    const command = printedCommand(deps.env, `conversations forget ${id} --yes`, optionalText(args, 'root'));
    throw new RefusedError(
      `no person can be asked here, and nothing brings a forgotten conversation back. To do it: ${command}`,
    );
  }
  return deps.prompts.confirm(`Remove what was said and done in ${id}? Nothing brings it back.`);
}

async function follow(edge: EdgeClient, deps: CommandDeps, id: string, begun: ForgetState): Promise<ForgetState> {
  const path = `/v1/renewal/conversations/${encodeURIComponent(id)}`;
  const until = deps.clock.monotonic() + FOLLOW_MS;
  let state = begun;
  while (state.state === 'forgetting' && deps.clock.monotonic() < until) {
    await pause(deps.clock, LOOK_MS);
    const detail = await edge.call({ method: 'GET', path, schema: ConversationDetailSchema });
    state = detail.forget ?? state;
  }
  return state;
}

/** What was removed, in words; kinds of which there was nothing are left out. */
export function removedText(removed: Forgotten): string {
  const parts = Object.entries(removed)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function report(args: Args, deps: CommandDeps, id: string, state: ForgetState): ExitCode {
  present(args, deps, { local_conversation_id: id, ...state }, () =>
    deps.print(`${id} is ${state.state}; removed in all: ${removedText(state.removed)}`),
  );
  if (state.state === 'forgetting') {
    const command = printedCommand(deps.env, `conversations show ${id}`, optionalText(args, 'root'));
    deps.warn(`the edge continues by itself. To see how far it is: ${command}`);
  }
  return EXIT.fine;
}

export const forgetCommand: CliCommand = {
  name: 'forget',
  about: 'remove what was said and done in a conversation; the hashes of its journal stay',
  argument: idArgument('conversation', 'lc_…'),
  options: [...edgeOptions, new Option('--yes', 'do not ask')],
  examples: ['conversations forget lc_01m8f… --yes'],
  run: (args, deps) =>
    withEdge(args, deps, async (edge) => {
      const id = String(args.conversation);
      if (!(await confirmed(args, deps, id))) {
        deps.warn('nothing was changed');
        return EXIT.failed;
      }
      const path = `/v1/renewal/conversations/${encodeURIComponent(id)}/forget`;
      const begun = await edge.call({ method: 'POST', path, body: {}, schema: ForgetStateSchema });
      return report(args, deps, id, await follow(edge, deps, id, begun));
    }),
};
