/** The text of a renewal: rendered from a template when the job is created, and read from its payload when it is sent. */
import type { RenewalJob, RenewalPayload } from '../contracts/renewal.ts';
import { RENEWAL, RENEWAL_SETTINGS } from '../defaults.ts';

export interface RenewedMessage {
  message_id: string;
  raw_text: string;
  title: string | null;
  page_url: string;
}

/** The payload of a job, with the text that the template renders. */
export function renewalPayload(message: RenewedMessage, template: string): RenewalPayload {
  const values: Record<string, string> = {
    summary: summaryOf(message.raw_text),
    link: message.page_url,
    title: message.title ?? '',
  };
  return {
    kind: 'renewal.message',
    version: 1,
    template: template === RENEWAL_SETTINGS.template ? 'summary_with_link' : 'custom',
    text: template.replace(/\{(summary|link|title)\}/g, (_, name: string) => values[name] ?? ''),
    source_message: { id: message.message_id },
  };
}

function summaryOf(rawText: string): string {
  const text = rawText.replace(/\s+/g, ' ').trim();
  const cut = Array.from(text).slice(0, RENEWAL.summary_chars).join('');
  return cut.length < text.length ? `${cut}…` : cut;
}

/** Whether a message in the conversation is the renewal that was sent: sites change only white space. */
export function isRenewalText(text: string, sent: string | null): boolean {
  return sent !== null && text.replace(/\s+/g, '') === sent.replace(/\s+/g, '');
}

export type PayloadText = { text: string } | { error: 'invalid_payload' | 'missing_payload_text' };

/** The text of a stored payload. */
export function payloadText(job: Pick<RenewalJob, 'payload' | 'payload_kind' | 'payload_text'>): PayloadText {
  if (job.payload_kind === 'text') return nonBlank(job.payload_text ?? job.payload);
  const payload = parseObject(job.payload);
  return payload === null ? { error: 'invalid_payload' } : nonBlank(payload.text);
}

function nonBlank(text: unknown): PayloadText {
  return typeof text === 'string' && text.trim() !== '' ? { text } : { error: 'missing_payload_text' };
}

function parseObject(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
