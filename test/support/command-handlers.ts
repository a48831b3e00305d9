import type { CommandHandlers } from '../../local-agent/edge/commands.ts';

function unexpected(): never {
  throw new Error('no command of that kind was expected');
}

/** Handlers of which a test names those it means; any other kind fails it. */
export function commandHandlers(named: Partial<CommandHandlers>): CommandHandlers {
  return {
    delivery: unexpected,
    'delivery.query': unexpected,
    'client.resume': unexpected,
    'instruction.cancel': unexpected,
    'approval.decided': unexpected,
    'message.resubmit': unexpected,
    instruction: unexpected,
    'browser.read': unexpected,
    'step.offer': unexpected,
    'step.cancel': unexpected,
    'task.notice': unexpected,
    'conversation.ask': unexpected,
    ...named,
  };
}
