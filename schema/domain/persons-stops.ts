/**
 * What a person has stopped, a chat does not start again by itself. The edge decides this from the tool table and its own
 * rows, independent of the node's policy: such an instruction asks a person.
 */
import type { AutomationStatus } from '../contracts/conversations.ts';
import { AutomationStatusSchema } from '../contracts/conversations.ts';
import type { ToolName } from '../contracts/tools.ts';
import type { ConversationState } from './conversation.ts';
import { needsPerson } from './conversation.ts';

export interface PersonsStops {
  /** Only a person ends the pause of the system. */
  hold: boolean;
  conversation: Pick<ConversationState, 'pause_reason' | 'last_non_paused_automation_status' | 'status_set_by'>;
}

/** Why a chat has to ask a person before that call, as the rule of a verdict; null when it need not. */
export function personsRule(
  name: ToolName,
  params: Readonly<Record<string, unknown>>,
  stops: PersonsStops,
): string | null {
  if (name === 'conductor::system/resume' || name === 'conductor::system/drain') {
    return stops.hold ? 'a person holds the system paused' : null;
  }
  if (name !== 'conductor::conversation/mode') return null;
  const mode: AutomationStatus | undefined = AutomationStatusSchema.safeParse(params.mode).data;
  if (mode === undefined || !needsPerson(stops.conversation, mode)) return null;
  const isPaused = stops.conversation.pause_reason !== null;
  return isPaused ? 'a person has paused this conversation' : 'a person has set this conversation to manual';
}
