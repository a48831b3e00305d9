/** The frame that reports a final answer to the agent. */
import type { FinalMessage } from '../../../schema/contracts/bridge-frames.ts';
import type { Opinion } from '../../messages.ts';
import type { SiteTab } from '../tabs/tab-registry.ts';
import { plainUrl } from '../tabs/tab-registry.ts';
import type { FinalAnswer, Turn } from './turn.ts';

/** The plan that sent this message of the person; null: none did. Undefined: not known now. */
export type PlanOf = (platform: Turn['platform'], userMessageId: string) => string | null | undefined;

export interface FinalMessageParts {
  turn: Turn;
  answer: FinalAnswer;
  /** The tab that shows it; null when none does. */
  tab: SiteTab | null;
  opinion: Opinion;
  clientId: string;
  /** The account of that tab, where it is to be named. */
  account: string | null;
  /** The same for the same message. */
  requestId: string;
  /** The plan whose message it answers; null: one that no plan sent. Undefined: the message is not known. */
  plan: ReturnType<PlanOf>;
}

export function finalMessage(parts: FinalMessageParts): FinalMessage {
  const { turn, answer, tab, opinion, clientId, account, requestId, plan } = parts;
  const { platform, isTemporary, organizationId } = turn;
  // A temporary conversation has no lasting id, even where the site uses one until it is closed.
  const conversationId = isTemporary ? null : turn.conversationId;
  return {
    type: 'browser.final_message',
    request_id: requestId,
    client_id: clientId,
    platform,
    conversation_id: conversationId,
    organization_id: organizationId,
    assistant_message_id: answer.messageId,
    raw_text: answer.text,
    role: 'assistant',
    observed_at: answer.at,
    page_url: tab === null ? '' : plainUrl(tab.url),
    page_title: tab?.title ?? null,
    tab_id: tab?.tabId ?? Math.max(0, turn.tabId),
    shell_page: conversationId === null,
    ...(account !== null && { account_fingerprint: account }),
    capture: { source: answer.source, other: opinion },
    ...(plan !== undefined && { answers_plan_id: plan }),
  };
}
