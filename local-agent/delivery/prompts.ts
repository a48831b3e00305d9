/** Prompts that a tool sends into a chat: deliveries like renewals, but each ends for the instruction that asked. */
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import type { Reply } from './replies.ts';

const PREFIX = 'prompt:';

/** One prompt; its subject is the instruction held here, or the command of another node's. */
export type Prompt = Reply;

export interface PromptEnd {
  subject_id: string;
  result: DeliveryResult;
}

/** The plan of a prompt: one for each subject, however often it is queued. */
export function promptPlan(subject: string): string {
  return `${PREFIX}${subject}`;
}

export function isPromptPlan(planId: string): boolean {
  return planId.startsWith(PREFIX);
}
