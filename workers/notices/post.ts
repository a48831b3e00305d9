/**
 * One request to the receiver of notices. It follows no redirect, waits for a bounded time, and reads nothing of the body.
 * What is returned about a failure is a word of our own: a message of the runtime could name the address.
 */
import type { NoticeFormat } from '../../schema/contracts/notices.ts';
import { PERSON_NOTICE } from '../../schema/defaults.ts';
import type { Destination } from './settings.ts';

export interface NoticeText {
  title: string;
  object_id: string;
  link: string;
}

/** Null when the receiver accepted it, else why not. */
export async function postNotice(
  { address, secret }: Destination,
  format: NoticeFormat,
  text: NoticeText,
  timeoutMs: number = PERSON_NOTICE.request_timeout_ms,
): Promise<string | null> {
  const { headers, body } = bodyOf(format, text);
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { ...headers, ...(secret === null ? {} : { authorization: `Bearer ${secret}` }) },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (response.ok) return null;
    return response.status >= 300 && response.status < 400 ? 'redirect' : `http_${response.status}`;
  } catch (error) {
    return error instanceof DOMException && error.name === 'TimeoutError' ? 'timeout' : 'unreachable';
  }
}

function bodyOf(format: NoticeFormat, { title, object_id, link }: NoticeText) {
  const line = object_id === '' ? title : `${title}: ${object_id}`;
  const plain = { 'content-type': 'text/plain; charset=utf-8' };
  switch (format) {
    case 'ntfy':
      return { headers: { ...plain, click: link, tags: 'robot' }, body: line };
    case 'slack':
      return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text: `${line}\n<${link}>` }) };
    case 'plain':
      return { headers: plain, body: `${line}\n${link}\n` };
    default:
      return format satisfies never;
  }
}
