/** Deliveries as a test queues them: to the conversation `c1` in the browser `firefox-1`, unless it says otherwise. */
import type { OutgoingMessage } from '../../local-agent/delivery/deliveries.ts';
import type { DeliveryCommandBody } from '../../schema/contracts/commands.ts';
import type { TargetPayload } from '../../schema/contracts/conversations.ts';

export function target(conversationId = 'c1', clientId = 'firefox-1'): TargetPayload {
  return {
    client_id: clientId,
    conversation_id: conversationId,
    page_url: `https://chatgpt.com/c/${conversationId}`,
    page_title: null,
    tab_id: 17,
    shell_page: false,
  };
}

export function reply(messageId: string, conversationId = 'c1', clientId = 'firefox-1'): OutgoingMessage {
  return {
    plan_id: `reply:${messageId}`,
    subject_id: messageId,
    platform: 'chatgpt',
    client_id: clientId,
    conversation_id: conversationId,
    target: target(conversationId, clientId),
    message_text: `reply to ${messageId}`,
    assistant_message_id: null,
    timeout_ms: 20_000,
  };
}

export function prompt(subjectId: string): OutgoingMessage {
  return { ...reply(subjectId), plan_id: subjectId, message_text: 'please review' };
}

/** The body of a command that reports the end of a task. */
export function taskNotice(planId: string, overrides: { message_text?: string } = {}) {
  return {
    task_id: 'task_1',
    plan_id: planId,
    platform: 'chatgpt' as const,
    target: target('c1', 'firefox-1'),
    message_text: 'done',
    timeout_ms: 20_000,
    ...overrides,
  };
}

export function renewal(planId: string, conversationId = 'c1', clientId = 'firefox-1'): DeliveryCommandBody {
  return {
    job_id: 'job_1',
    attempt: 1,
    plan_id: planId,
    platform: 'chatgpt',
    target: target(conversationId, clientId),
    message_text: 'carry on',
    assistant_message_id: null,
    timeout_ms: 20_000,
  };
}
