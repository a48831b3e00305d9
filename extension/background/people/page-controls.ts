/**
 * Actions of a person on their way to the agent. Each gets one outcome: what the agent said, that the connection was lost
 * first, or that no response came in time. In the latter two the action may have been done; the next snapshot shows it.
 */
import type { AgentBridgeFrame, ExtensionFrame } from '../../../schema/contracts/bridge-frames.ts';
import type { Translate } from '../../overlay/texts.ts';
import type { ActionOutcome, PersonAction } from '../../people-messages.ts';

type ControlResult = Extract<AgentBridgeFrame, { type: 'page_control_result' }>;
/** The agent itself waits 15 seconds for the edge. */
const DEADLINE_MS = 25_000;
const MAX_OPEN = 32;

export interface PageControlDeps {
  /** False when there is no connection. */
  send(frame: ExtensionFrame): boolean;
  newRequestId(): string;
  /** Runs once after that time; returns how to cancel it. */
  after(delayMs: number, run: () => void): () => void;
  translate: Translate;
}

export class PageControls {
  readonly #deps: PageControlDeps;
  readonly #open = new Map<string, (outcome: ActionOutcome) => void>();

  constructor(deps: PageControlDeps) {
    this.#deps = deps;
  }

  act(action: PersonAction): Promise<ActionOutcome> {
    if (this.#open.size >= MAX_OPEN) return Promise.resolve(this.#failure('busy', 'error_busy'));
    const request_id = this.#deps.newRequestId();
    return new Promise((resolve) => {
      const cancel = this.#deps.after(DEADLINE_MS, () => end(this.#failure('timeout', 'error_no_response')));
      const end = (outcome: ActionOutcome): void => {
        cancel();
        if (this.#open.delete(request_id)) resolve(outcome);
      };
      this.#open.set(request_id, end);
      const isSent = this.#deps.send({ type: 'page_control', request_id, ...action });
      if (!isSent) end(this.#failure('not_connected', 'error_not_connected'));
    });
  }

  /** The agent has responded. */
  ended({ request_id, ok, error }: ControlResult): void {
    const outcome: ActionOutcome = ok
      ? { ok: true }
      : {
          ok: false,
          code: error?.code ?? 'internal',
          message: error?.message ?? this.#deps.translate('error_internal'),
        };
    this.#open.get(request_id)?.(outcome);
  }

  /** An `error` frame about one of the requests. */
  refused(requestId: string, code: string, message: string): void {
    this.#open.get(requestId)?.({ ok: false, code, message });
  }

  connectionLost(): void {
    for (const end of [...this.#open.values()]) end(this.#failure('connection_lost', 'error_connection_lost'));
  }

  #failure(code: string, key: string): ActionOutcome {
    return { ok: false, code, message: this.#deps.translate(key) };
  }
}
