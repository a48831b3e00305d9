/** A delivery as a frame to the extension. */
import type { ProxyDelivery } from '../../schema/contracts/bridge-frames.ts';
import type { DeliveryRow } from './deliveries.ts';

/**
 * The plan id on the wire; the extension never sends one twice. A renewal's plan id names its attempt already. A reply's
 * attempt is added here, so that a reply that certainly was not sent can be tried again.
 */
export function wirePlanId(row: Pick<DeliveryRow, 'kind' | 'plan_id' | 'attempt'>): string {
  return row.kind === 'reply' ? `${row.plan_id}.${row.attempt}` : row.plan_id;
}

/** `account`: the hash of the account that it must be sent from; null while that is not known. */
export function proxyDelivery(row: DeliveryRow, requestId: string, account: string | null): ProxyDelivery {
  const { target } = row;
  return {
    type: 'browser.proxy_delivery',
    request_id: requestId,
    plan_id: wirePlanId(row),
    platform: row.platform,
    client_id: row.client_id,
    tab_id: target.tab_id,
    conversation_id: row.conversation_id,
    organization_id: target.organization_id ?? null,
    page_url: target.page_url,
    page_title: target.page_title,
    message_text: row.message_text,
    assistant_message_id: row.assistant_message_id,
    timeout_ms: row.timeout_ms,
    shell_page: target.shell_page,
    account_fingerprint: account,
  };
}
