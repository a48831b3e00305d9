/** What the edge is told of an instruction: rows of the outbox, each in the transaction of what it reports. */
import type { InstructionResultBody } from '../../schema/contracts/instructions.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import type { InstructionResult } from '../tools/tool.ts';
import type { MessageRow } from './execution-store.ts';

type ReportKind = 'started' | 'output' | 'result' | 'run';
type Conversation = Pick<MessageRow, 'platform' | 'remote_conversation_id'>;

export class OutboxReports {
  readonly #outbox: Store['outbox'];
  readonly #nodeId: string;

  constructor(outbox: Store['outbox'], nodeId: string) {
    this.#outbox = outbox;
    this.#nodeId = nodeId;
  }

  started(conversation: Conversation, instructionId: string): void {
    this.#append(conversation, instructionId, 'started', {});
  }

  result(conversation: Conversation, instructionId: string, result: InstructionResult): void {
    this.#append(conversation, instructionId, 'result', result satisfies Omit<InstructionResultBody, 'controller_id'>);
  }

  /** What a program has printed so far. */
  output(conversation: Conversation, instructionId: string, offset: number, chunk: string): void {
    this.#append(conversation, instructionId, 'output', { offset, chunk });
  }

  /** Asks the edge to execute a tool of its own. */
  run(conversation: Conversation, instructionId: string): void {
    this.#append(conversation, instructionId, 'run', {});
  }

  #append(conversation: Conversation, instructionId: string, kind: ReportKind, body: object): void {
    this.#outbox.append({
      stream: conversationStream(conversation),
      kind,
      method: 'POST',
      path: `/v1/instructions/${instructionId}/${kind}`,
      body: { controller_id: this.#nodeId, ...body },
      context: { instruction_id: instructionId },
    });
  }
}
