/** The reports to the edge on an instruction: rows of the outbox, each in the transaction of what it reports. */
import type { InstructionResultBody, InstructionRunBody } from '../../schema/contracts/instructions.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import type { InstructionResult } from '../tools/tool.ts';
import type { MessageRow } from './execution-store.ts';

type ReportKind = 'started' | 'output' | 'result' | 'run';
type Conversation = Pick<MessageRow, 'platform' | 'remote_conversation_id'>;

export interface OutboxReportsDeps {
  outbox: Store['outbox'];
  nodeId: string;
  /** The edge stores a longer output apart and names a link to it. */
  inlineChars: number;
}

export class OutboxReports {
  readonly #deps: OutboxReportsDeps;

  constructor(deps: OutboxReportsDeps) {
    this.#deps = deps;
  }

  started(conversation: Conversation, instructionId: string): void {
    this.#append(conversation, instructionId, 'started', {});
  }

  result(conversation: Conversation, instructionId: string, result: InstructionResult): void {
    const body: Omit<InstructionResultBody, 'controller_id'> = { ...result, inline_chars: this.#deps.inlineChars };
    this.#append(conversation, instructionId, 'result', body);
  }

  /** A chunk of the output of a running program; `offset` characters come before it. */
  output(conversation: Conversation, instructionId: string, offset: number, chunk: string): void {
    this.#append(conversation, instructionId, 'output', { offset, chunk });
  }

  /** Asks the edge to run the instruction, there or on another node. */
  run(conversation: Conversation, instructionId: string): void {
    const body: Omit<InstructionRunBody, 'controller_id'> = { inline_chars: this.#deps.inlineChars };
    this.#append(conversation, instructionId, 'run', body);
  }

  #append(conversation: Conversation, instructionId: string, kind: ReportKind, body: object): void {
    const { outbox, nodeId } = this.#deps;
    outbox.append({
      stream: conversationStream(conversation),
      kind,
      method: 'POST',
      path: `/v1/instructions/${instructionId}/${kind}`,
      body: { controller_id: nodeId, ...body },
      context: { instruction_id: instructionId },
    });
  }
}
