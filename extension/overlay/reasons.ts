/**
 * The codes of the system that people see, each with a message `reason_<code>`. A code that is not listed is shown as it
 * is, so that a newer agent's reason is never hidden. Some codes end with a number or a host's own word.
 */
import { STOP_REASONS } from '../../schema/contracts/clients.ts';
import { PAUSE_REASONS } from '../../schema/contracts/conversations.ts';
import { HOLD_REASONS } from '../../schema/contracts/renewal-settings.ts';
import { makeVisibleLine } from '../../schema/domain/visible.ts';
import type { Text } from './texts.ts';

export const REASONS: readonly string[] = [
  ...new Set([
    ...PAUSE_REASONS,
    ...HOLD_REASONS,
    ...STOP_REASONS,
    'no_message',
    'waiting_for_answer',
    'being_delivered',
    'instruction_pending',
    'task_pending',
    'ask_pending',
    'system_paused',
    'system_draining',
    'no_leader',
    'automation_manual',
    'automation_paused',
    'missing_active_link',
    'route_unavailable',
    'node_unreachable',
    'settling',
    'due',
    'scheduled',
    'failed',
    'canceled',
    'no_active_client',
    'slots_busy',
    'breaker_open',
    'breaker_probing',
    'backoff',
    'spacing',
    'rate_limit',
    'conversation_busy',
    'next',
    'sending',
    'person_is_typing',
    'draft_in_composer',
    'answer_is_streaming',
    'composer_missing',
    'other_conversation',
    'timeout',
    'no_evidence',
    'connection_lost',
    'composer_busy',
    'composer_not_ready',
    'send_button_missing',
    'text_changed_by_editor',
    'text_changed_by_page',
    'became_attachment',
    'text_too_long',
    'not_composed',
    'permission_prompt',
    'choice_prompt',
    'old_version_of_page',
    'page_error',
    'conversation_not_shown',
    'conversation_not_proven',
    'page_not_ready',
    'page_reloaded',
    'tab_closed',
    'no_tab',
    'site_turned_off',
    'browser_busy',
    'storage_not_available',
    'not_sent',
    'other_text_sent',
    'no_request_seen',
    'request_not_read',
    'no_acknowledgement',
    'network_error',
    'no_response',
    'sent_to_other_conversation',
    'interrupted_before_send',
    'interrupted_after_send',
    'page_url_of_other_conversation',
    'conversation_not_loaded',
  ]),
];

export function reasonText(code: string): Text {
  if (REASONS.includes(code)) return { key: `reason_${code}` };
  return { key: 'reason_other', args: [makeVisibleLine(code).slice(0, 120)] };
}
