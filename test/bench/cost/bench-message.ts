/** The messages that the benchmark of the costs sends, and how: as the agent's outbox does. */
import type { IngestBody, InstructionInput, ReportedResult } from '../../../schema/contracts/instructions.ts';
import type { CountedEdge } from '../edge/counted.ts';

export const RESULT: ReportedResult = {
  status: 'succeeded',
  output: 'ok',
  exit_code: 0,
  duration_ms: 5,
  truncated: false,
};

export const instruction: InstructionInput = {
  block_index: 0,
  index: 0,
  target: 'conductor',
  tool: 'exec',
  params: { argv: ['npm', 'test'] },
  policy: { decision: 'allow', rule: 'bench' },
};

export function benchMessage(controller_id: string, number: number): IngestBody {
  return {
    controller_id,
    client_id: 'client-1',
    platform: 'claude',
    remote_conversation_id: 'talk',
    assistant_message_id: `message-${number}`,
    raw_text: `Running the tests (${number}).\n\n\`\`\`baa\n@conductor::exec::{"argv": ["npm", "test"]}\n\`\`\`\n`,
    role: 'assistant',
    observed_at: Date.now(),
    capture: { source: 'network', other: 'absent' },
    link: {
      remote_conversation_id: 'talk',
      page_url: 'https://claude.ai/chat/talk',
      page_title: null,
      tab_id: 1,
      shell_page: false,
      observed_at: Date.now(),
    },
    block_errors: [],
    instructions: [instruction],
  };
}

/** Posts as an outbox does: under a key that grows along its stream. */
export function outboxPost({ conductor, leader }: CountedEdge): (path: string, body: object) => Promise<unknown> {
  let sent = 0;
  return (path, body) => {
    sent += 1;
    const key = { 'idempotency-key': `0badcafe/conv:talk/${sent}`, 'x-baa-age-ms': '5' };
    return conductor.call(leader.token, 'POST', path, { controller_id: leader.id, ...body }, key);
  };
}
