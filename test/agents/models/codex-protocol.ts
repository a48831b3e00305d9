/** The protocol of OpenAI's responses, as Codex 0.169 speaks it. */
import type { ModelAct, Protocol } from './model-server.ts';
import { sendEvent } from './model-server.ts';

const USAGE = {
  input_tokens: 1000,
  input_tokens_details: { cached_tokens: 200 },
  output_tokens: 50,
  output_tokens_details: { reasoning_tokens: 10 },
  total_tokens: 1050,
};

function patchOf(path: string, text: string): string {
  const lines = text.replace(/\n$/, '').split('\n');
  return ['*** Begin Patch', `*** Add File: ${path}`, ...lines.map((line) => `+${line}`), '*** End Patch', ''].join(
    '\n',
  );
}

function itemOf(act: ModelAct, turn: number): Record<string, unknown> | null {
  const ids = { id: `item_${turn}`, call_id: `call_${turn}` };
  if (act.type === 'write') {
    return {
      type: 'custom_tool_call',
      ...ids,
      name: 'apply_patch',
      input: patchOf(act.path, act.text),
      status: 'completed',
    };
  }
  if (act.type === 'run') {
    return { type: 'function_call', ...ids, name: 'exec_command', arguments: JSON.stringify({ cmd: act.command }) };
  }
  if (act.type === 'call') {
    const called = { namespace: 'mcp__conductor', name: act.tool, arguments: JSON.stringify(act.arguments) };
    return { type: 'function_call', ...ids, ...called };
  }
  if (act.type !== 'say') return null;
  const content = [{ type: 'output_text', text: act.text, annotations: [] }];
  return { type: 'message', id: `item_${turn}`, role: 'assistant', status: 'completed', content };
}

export const codexProtocol: Protocol = {
  path: /\/responses$/,
  turnOf: ({ input }) => {
    const items = Array.isArray(input) ? (input as { type?: string }[]) : [];
    return items.filter(({ type }) => type?.endsWith('_output')).length;
  },
  respond: (response, act, turn) => {
    const id = `resp_${turn}`;
    const send = (data: Record<string, unknown> & { type: string }) => sendEvent(response, data);
    send({ type: 'response.created', response: { id } });
    const item = itemOf(act, turn);
    if (item !== null) {
      send({ type: 'response.output_item.added', output_index: 0, item });
      send({ type: 'response.output_item.done', output_index: 0, item });
    }
    send({ type: 'response.completed', response: { id, usage: USAGE } });
  },
  errorBody: (status) => ({ error: { message: `status ${status}`, type: 'server_error', code: null } }),
};
