/**
 * Tools that act in a browser of this node. A prompt is a delivery: it is queued in the transaction of the `started` mark,
 * sent at the pace of the delivery policy, and finished in the transaction that stores the delivery's end, so it survives
 * a restart. A reading is requested once and not stored: it changes nothing and can be requested again.
 */
import type { ConversationReading } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { TargetPayload } from '../../schema/contracts/conversations.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import type { BrowserTool, ToolParams } from '../../schema/contracts/tools.ts';
import { findTool, isBrowserTool, platformOf, TOOLS } from '../../schema/contracts/tools.ts';
import type { ConversationReader } from '../browsers/conversation-reader.ts';
import type { BrowserTargets } from '../browsers/targets.ts';
import type { Redact } from '../lib/redact.ts';
import type { InstructionResult, ToolOutcome } from '../tools/tool.ts';
import { clipToOutput, failure, fitOutput, success } from '../tools/tool.ts';
import type { OutgoingQueue, PromptSubject } from './outgoing.ts';

export interface BrowserCall {
  name: BrowserTool;
  params: ToolParams<BrowserTool>;
  /** Who requested it: an instruction of this node, or a command of the edge. */
  subject: { kind: PromptSubject; id: string };
  onEnd: (result: InstructionResult) => void;
}

export interface BrowserWorkDeps {
  outgoing: Pick<OutgoingQueue, 'enqueuePrompt'>;
  targets: Pick<BrowserTargets, 'choose'>;
  reader: Pick<ConversationReader, 'read'>;
  redactor: () => Redact;
  monotonic: () => number;
}

/** Whether a stored call, by its name, sends a prompt. */
export function isPrompt(name: string): boolean {
  const tool = findTool(name);
  return tool !== null && isBrowserTool(tool) && TOOLS[tool].text_param === 'prompt';
}

/** The outcome of a prompt by the end of its delivery. A prompt that may have been sent is not a failure. */
export function promptOutcome({ outcome, reason }: DeliveryResult): ToolOutcome {
  if (outcome === 'delivered') return success('the prompt was sent');
  const why = reason ?? outcome;
  if (outcome === 'uncertain') return failure('interrupted', 'uncertain', `whether it was sent is not known: ${why}`);
  return failure('failed', reason === 'no_active_client' ? 'no_active_client' : 'not_sent', `it was not sent: ${why}`);
}

function readingText({ conversation_id, messages }: ConversationReading): string {
  const head = `conversation ${conversation_id ?? '(none yet)'}\n`;
  return head + messages.map(({ role, text }) => `\n[${role}]\n${text}\n`).join('');
}

export class BrowserWork {
  readonly #deps: BrowserWorkDeps;

  constructor(deps: BrowserWorkDeps) {
    this.#deps = deps;
  }

  /**
   * Returns a function that starts the call, inside the transaction of the `started` mark; null when no browser of this
   * node can run it. `onEnd` is called for a reading only: a prompt ends with its delivery.
   */
  prepare({ name, params, subject, onEnd }: BrowserCall): (() => void) | null {
    const platform = platformOf(name);
    const conversationId = params.conversation_id ?? null;
    const purpose = 'prompt' in params ? 'send' : 'read';
    const target = this.#deps.targets.choose({ platform, conversation_id: conversationId, purpose });
    if (target === null) return null;
    if (!('prompt' in params)) return () => void this.#readResult(platform, target).then(onEnd);
    const prompt = {
      plan_id: subject.id,
      subject_id: subject.id,
      platform,
      client_id: target.client_id,
      conversation_id: conversationId,
      target,
      message_text: params.prompt,
      assistant_message_id: null,
      timeout_ms: TOOLS[name].timeout_ms,
    };
    return () => this.#deps.outgoing.enqueuePrompt(prompt, subject.kind);
  }

  /** Reads a conversation; null when no browser of this node can. */
  async read(platform: Platform, conversationId: string | null): Promise<ConversationReading | null> {
    const target = this.#deps.targets.choose({ platform, conversation_id: conversationId, purpose: 'read' });
    return target === null ? null : await this.#deps.reader.read(platform, target);
  }

  async #readResult(platform: Platform, target: TargetPayload): Promise<InstructionResult> {
    const { reader, redactor, monotonic } = this.#deps;
    const startedAt = monotonic();
    const reading = await reader.read(platform, target);
    return {
      ...this.#readingOutcome(reading, redactor()),
      duration_ms: Math.max(0, Math.round(monotonic() - startedAt)),
    };
  }

  #readingOutcome(reading: ConversationReading | null, redact: Redact): ToolOutcome {
    if (reading === null)
      return failure('failed', 'unreadable', 'the browser could not read it, or did not respond in time');
    const { text, clipped } = clipToOutput(redact(readingText(reading)));
    return fitOutput(success(text, clipped));
  }
}
