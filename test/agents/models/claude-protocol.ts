/** The protocol of Anthropic's messages, as Claude Code 2.1 speaks it. */
import type { ModelAct, Protocol } from './model-server.ts';
import { sendEvent } from './model-server.ts';

interface Message {
  role: string;
  content: string | { type: string; tool_use_id?: string }[];
}

function blocksOf(messages: unknown) {
  const all = Array.isArray(messages) ? (messages as Message[]) : [];
  return all.flatMap(({ content }) => (typeof content === 'string' ? [] : content));
}

/** The folder in which the agent works: its `Write` takes absolute paths only. */
function cwdOf(body: Record<string, unknown>): string {
  return /(?:Primary working directory|Working directory|cwd): ([^\s\\"]+)/.exec(JSON.stringify(body))?.[1] ?? '';
}

function blockOf(act: ModelAct, turn: number, body: Record<string, unknown>) {
  const id = `toolu_${turn}`;
  if (act.type === 'write') {
    return { id, name: 'Write', input: { file_path: `${cwdOf(body)}/${act.path}`, content: act.text } };
  }
  if (act.type === 'run') return { id, name: 'Bash', input: { command: act.command, description: 'a command' } };
  if (act.type === 'call') return { id, name: `mcp__conductor__${act.tool}`, input: act.arguments };
  return null;
}

export const claudeProtocol: Protocol = {
  path: /\/v1\/messages/,
  turnOf: ({ messages, tools }) => {
    if (!Array.isArray(tools) || tools.length === 0) return null;
    return blocksOf(messages).filter(({ type }) => type === 'tool_result').length;
  },
  respond: (response, act, turn, body) => {
    const send = (data: Record<string, unknown> & { type: string }) => sendEvent(response, data);
    const message = { id: `msg_${turn}`, type: 'message', role: 'assistant', model: body.model, content: [] };
    const usage = { input_tokens: 100, output_tokens: 1 };
    send({ type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null, usage } });
    const tool = blockOf(act, turn, body);
    if (tool !== null) {
      const { id, name, input } = tool;
      send({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id, name, input: {} } });
      const partial_json = JSON.stringify(input);
      send({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json } });
    } else {
      const text = act.type === 'say' ? act.text : 'I cannot help with that.';
      send({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
      send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
    }
    send({ type: 'content_block_stop', index: 0 });
    const ends = act.type === 'refuse' ? 'refusal' : 'end_turn';
    const stop_reason = tool === null ? ends : 'tool_use';
    send({ type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 20 } });
    send({ type: 'message_stop' });
  },
  errorBody: (status) => ({
    type: 'error',
    error: { type: status === 429 ? 'rate_limit_error' : 'api_error', message: `status ${status}` },
  }),
};
