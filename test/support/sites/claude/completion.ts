/** Server-sent events of the JSON interface of claude.ai. */

export interface SseStyle {
  newline?: '\n' | '\r\n';
  /** Spaces before the end of the JSON, as the site pads it. */
  padding?: number;
}

/** One event, named as its `type`. */
export function sse(
  data: { type: string } & Record<string, unknown>,
  { newline = '\n', padding = 0 }: SseStyle = {},
): string {
  const json = JSON.stringify(data);
  const padded = `${json.slice(0, -1)}${' '.repeat(padding)}}`;
  return `event: ${data.type}${newline}data: ${padded}${newline}${newline}`;
}

export const comment = ': ping\n\n';

export const messageStart = (uuid: string | undefined, parent: string | undefined) => ({
  type: 'message_start',
  message: { id: 'chatcompl_x', uuid, parent_uuid: parent, role: 'assistant', content: [], stop_reason: null },
});
export const blockStart = (index: number, block: object = { type: 'text', text: '', citations: [] }) => ({
  type: 'content_block_start',
  index,
  content_block: block,
});
export const delta = (index: number, change: object) => ({ type: 'content_block_delta', index, delta: change });
export const textDelta = (index: number, text: string) => delta(index, { type: 'text_delta', text });
export const blockStop = (index: number) => ({ type: 'content_block_stop', index });
export const messageDelta = (reason: string) => ({ type: 'message_delta', delta: { stop_reason: reason } });
export const messageStop = () => ({ type: 'message_stop' });
