/**
 * Commands of the edge. Each is taken once: the mark that it was seen is stored in the transaction of its effects, so a
 * command is neither lost between receipt and effect nor executed again when it is resent.
 */
import type { Command, CommandKind, Receipt } from '../../schema/contracts/commands.ts';
import { CommandResultResponseSchema } from '../../schema/contracts/commands.ts';
import type { Store } from '../store/store.ts';
import { NODE_STREAM } from '../store/streams.ts';
import type { ResponseHandler } from './response-handlers.ts';

export type CommandOf<K extends CommandKind> = Extract<Command, { kind: K }>;

/** `afterCommit` runs after the transaction that takes the command. */
export type CommandOutcome = { accepted: true; afterCommit?: () => void } | { accepted: false; code: string };

/**
 * Takes a command of one kind, once per command id, inside the transaction that marks it as seen: synchronous, and it
 * stores everything that must survive a crash. `reportCommandResult` reports the result, now or later.
 */
export type CommandHandler<K extends CommandKind> = (command: CommandOf<K>) => CommandOutcome;
export type CommandHandlers = { readonly [K in CommandKind]: CommandHandler<K> };

const RESULT_KIND = 'command_result';

/** Stores a command's result and queues it for the edge, inside the transaction of what it reports. */
export function reportCommandResult(
  store: Pick<Store, 'outbox' | 'seenCommands'>,
  nodeId: string,
  commandId: string,
  result: Record<string, unknown>,
): void {
  store.seenCommands.setResult(commandId, result);
  store.outbox.append({
    stream: NODE_STREAM,
    kind: RESULT_KIND,
    method: 'POST',
    path: `/v1/commands/${commandId}/result`,
    body: { controller_id: nodeId, result },
    context: {},
  });
}

/** The edge's response to a result leads to nothing; a refused one is kept for a person. */
export const commandResultResponses: Record<typeof RESULT_KIND, ResponseHandler> = {
  [RESULT_KIND]: { schema: CommandResultResponseSchema, onResponse: () => undefined },
};

function dispatch(handlers: CommandHandlers, command: Command): CommandOutcome {
  // The handler under a command's kind takes commands of that kind; the compiler cannot see that.
  const handler = handlers[command.kind] as (command: Command) => CommandOutcome;
  return handler(command);
}

/** Takes a command, unless it was taken before. The receipt is for the edge. @throws Error when it cannot be stored. */
export function takeCommand(store: Store, handlers: CommandHandlers, command: Command, now: number): Receipt {
  const outcome = store.transaction((): CommandOutcome => {
    if (store.seenCommands.find(command.command_id)) return { accepted: true };
    store.seenCommands.take(command.command_id, command.kind, now);
    const outcome = dispatch(handlers, command);
    if (!outcome.accepted) store.seenCommands.forget(command.command_id);
    return outcome;
  });
  if (!outcome.accepted) return { command_id: command.command_id, accepted: false, code: outcome.code };
  outcome.afterCommit?.();
  return { command_id: command.command_id, accepted: true };
}
