/**
 * Tools that act in a browser of this host. A prompt is a delivery: queued in the transaction of the `started` mark,
 * sent at the delivery policy's pace, and ended in the transaction that stores the delivery's end; so it survives a
 * restart like any other. A reading is asked once and not stored: it changes nothing and can be asked again.
 */
import type { ConversationReading } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { TargetPayload } from '../../schema/contracts/conversations.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import type { BrowserTool, ToolParams } from '../../schema/contracts/tools.ts';
import { platformOf, TOOLS } from '../../schema/contracts/tools.ts';
import type { ConversationReader } from '../browsers/conversation-reader.ts';
import type { BrowserTargets } from '../browsers/targets.ts';
import type { Redact } from '../lib/redact.ts';
import type { InstructionResult, ToolOutcome } from '../tools/tool.ts';
import { clipToOutput, ended, fitOutput, succeeded } from '../tools/tool.ts';
import type { OutgoingQueue, PromptSubject } from './outgoing.ts';

export interface BrowserCall {
  name: BrowserTool;
  params: Record<string, unknown>;
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

/** Whether an instruction of that name is a prompt, by its stored name. */
export function isPrompt(name: string): boolean {
  return name.startsWith('browser.') && name.endsWith('::send');
}

/** What became of a prompt. What may have been sent is not said to have failed. */
export function promptOutcome({ outcome, reason }: DeliveryResult): ToolOutcome {
  if (outcome === 'delivered') return succeeded('the prompt was sent');
  const why = reason ?? outcome;
  if (outcome === 'uncertain') return ended('interrupted', 'uncertain', `whether it was sent is not known: ${why}`);
  return ended('failed', reason === 'no_active_client' ? 'no_active_client' : 'not_sent', `it was not sent: ${why}`);
}

function shown({ conversation_id, messages }: ConversationReading): string {
  const head = `conversation ${conversation_id ?? '(none yet)'}\n`;
  return head + messages.map(({ role, text }) => `\n[${role}]\n${text}\n`).join('');
}

export class BrowserWork {
  readonly #deps: BrowserWorkDeps;

  constructor(deps: BrowserWorkDeps) {
    this.#deps = deps;
  }

  /**
   * How to begin it, inside the transaction that marks it as begun; null when no browser of this host can.
   * `onEnd` is called for a reading only: a prompt's end comes as the end of its delivery.
   */
  begin({ name, params, subject, onEnd }: BrowserCall): (() => void) | null {
    const platform = platformOf(name);
    const checked = TOOLS[name].params.parse(params) as ToolParams<BrowserTool>;
    const conversationId = checked.conversation_id ?? null;
    const purpose = 'prompt' in checked ? 'send' : 'read';
    const target = this.#deps.targets.choose({ platform, conversation_id: conversationId, purpose });
    if (target === null) return null;
    if (!('prompt' in checked)) return () => void this.#read(platform, target).then(onEnd);
    const prompt = {
      plan_id: subject.id,
      subject_id: subject.id,
      platform,
      client_id: target.client_id,
      conversation_id: conversationId,
      target,
      message_text: checked.prompt,
      assistant_message_id: null,
      timeout_ms: TOOLS[name].timeout_ms,
    };
    return () => this.#deps.outgoing.enqueuePrompt(prompt, subject.kind);
  }

  /** Reads a conversation for whoever asks; null when no browser of this host can. */
  async reading(platform: Platform, conversationId: string | null): Promise<ConversationReading | null> {
    const target = this.#deps.targets.choose({ platform, conversation_id: conversationId, purpose: 'read' });
    return target === null ? null : await this.#deps.reader.read(platform, target);
  }

  async #read(platform: Platform, target: TargetPayload): Promise<InstructionResult> {
    const { reader, redactor, monotonic } = this.#deps;
    const startedAt = monotonic();
    const reading = await reader.read(platform, target);
    return { ...this.#outcome(reading, redactor()), duration_ms: Math.max(0, Math.round(monotonic() - startedAt)) };
  }

  #outcome(reading: ConversationReading | null, redact: Redact): ToolOutcome {
    if (reading === null)
      return ended('failed', 'unreadable', 'the browser could not read it, or did not answer in time');
    const { text, clipped } = clipToOutput(redact(shown(reading)));
    return fitOutput(succeeded(text, clipped));
  }
}
