/**
 * The background page's side of what people see: it sends the view to every overlay, popup and options page, passes their
 * orders on, and keeps the toolbar button. An overlay gets the conversations of its own site only, and can neither approve
 * nor change settings: its port ends in the process of the chat page. Orders wait within bounds; what the agent confirmed comes back with the outcome and the next snapshot.
 */

import type { Platform } from '../../../schema/contracts/common.ts';
import type { Translate } from '../../overlay/texts.ts';
import type {
  ActionOutcome,
  PeopleNews,
  PeopleOrder,
  PeopleView,
  PersonAction,
  SettingsOrder,
} from '../../people-messages.ts';
import { PEOPLE_PORT } from '../../people-messages.ts';
import type { ApprovalOpened } from './approval-window.ts';
import { badgeOf } from './badge.ts';
import { diagnosticsOf } from './diagnostics.ts';
import { isPeopleOrder } from './orders.ts';
import { PeopleState } from './state.ts';
import { viewOfSite } from './view-of-site.ts';

/** A port of `browser.runtime`, as far as it is used. */
export interface PeoplePort {
  name: string;
  /** As the browser's own process knows it. `origin` is that of the principal of the document. */
  sender?: { url?: string | undefined; origin?: string | undefined; id?: string | undefined } | undefined;
  postMessage(message: PeopleNews): void;
  onMessage: { addListener(listener: (message: object) => void): void };
  onDisconnect: { addListener(listener: () => void): void };
  disconnect(): void;
}

export interface PeopleDeps {
  onConnect(listener: (port: PeoplePort) => void): void;
  /** `moz-extension://…/` of this extension. */
  ownOrigin: string;
  version: string;
  manifestVersion: number;
  /** Name and version of the browser. */
  browserName: string;
  now: () => number;
  translate: Translate;
  showBadge(badge: { text: string; color: string; title: string }): void;
  openOptions(): Promise<void>;
  /** Opens the window in which an instruction can be approved, unless another one has just been opened or is being read. */
  openApproval(instructionId: string): Promise<ApprovalOpened>;
  /** The site of a page; null when it is none of ours. */
  platformOf(url: string): Platform | null;
  /** Sends a person's action to the agent. Resolves with what the edge confirmed, or with why not; within its own deadline. */
  act(action: PersonAction): Promise<ActionOutcome>;
  /** Ends what is being done about an answer that does not end. */
  stopHelp(platform: Platform, conversationId: string): void;
  /** Changes a setting. Resolves with its outcome, in words for people. */
  change(order: SettingsOrder): Promise<ActionOutcome>;
}

/** Orders of one page that are under way. */
const MAX_ORDERS = 16;
/** Pages that are shown the view. */
const MAX_PORTS = 200;

/** Starts the people's side. The other parts give their news to what this returns. */
export function startPeople(deps: PeopleDeps): PeopleState {
  const state = new PeopleState(deps.version, deps.now);
  const ports = new Set<ConnectedPage>();
  deps.onConnect((port) => {
    if (port.name !== PEOPLE_PORT) return;
    // Many open chats must not keep a person from the popup and the options page.
    const isOwn = isOwnPage(port, deps.ownOrigin);
    if (ports.size >= MAX_PORTS && !isOwn) return port.disconnect();
    const page = new ConnectedPage(deps, state, port);
    ports.add(page);
    port.onDisconnect.addListener(() => ports.delete(page));
    page.show();
  });
  const showBadge = () => {
    const { text, color, title } = badgeOf(state.view);
    deps.showBadge({ text, color, title: deps.translate(title) });
  };
  state.onChange(() => {
    for (const page of ports) page.show();
    showBadge();
  });
  showBadge();
  return state;
}

class ConnectedPage {
  readonly #deps: PeopleDeps;
  readonly #state: PeopleState;
  readonly #port: PeoplePort;
  /** Null: a page of this extension. */
  readonly #platform: Platform | null;
  readonly #isOwn: boolean;
  #orders = 0;

  constructor(deps: PeopleDeps, state: PeopleState, port: PeoplePort) {
    this.#deps = deps;
    this.#state = state;
    this.#port = port;
    this.#isOwn = isOwnPage(port, deps.ownOrigin);
    this.#platform = this.#isOwn ? null : deps.platformOf(port.sender?.url ?? '');
    port.onMessage.addListener((message) => {
      if (isPeopleOrder(message)) void this.#handle(message);
    });
  }

  show(): void {
    if (this.#isOwn || this.#platform !== null) this.#port.postMessage({ news: 'view', view: this.#visible() });
  }

  #visible(): PeopleView {
    const { view } = this.#state;
    return this.#isOwn ? view : viewOfSite(view, this.#platform);
  }

  async #handle(order: PeopleOrder): Promise<void> {
    const { id } = order;
    if (this.#orders >= MAX_ORDERS) return this.#end(id, refusal('busy', 'error_busy', this.#deps));
    this.#orders += 1;
    try {
      const outcome = await this.#perform(order);
      if (outcome !== null) this.#end(id, outcome);
    } catch {
      this.#end(id, refusal('internal', 'error_internal', this.#deps));
    } finally {
      this.#orders -= 1;
    }
  }

  async #perform(order: PeopleOrder): Promise<ActionOutcome | null> {
    const { act, change, openOptions } = this.#deps;
    switch (order.order) {
      case 'act':
        return this.#mayAct(order.action) ? act(order.action) : this.#forbidden();
      case 'review_approval':
        return this.#review(order.instruction_id);
      case 'open_options':
        await openOptions();
        return { ok: true };
      case 'stop_help':
        if (!this.#isOwn && order.platform !== this.#platform) return this.#forbidden();
        this.#deps.stopHelp(order.platform, order.conversation_id);
        return { ok: true };
      case 'settings':
        return this.#isOwn ? change(order.change) : this.#forbidden();
      case 'diagnostics':
        if (!this.#isOwn) return this.#forbidden();
        this.#send({ news: 'diagnostics', id: order.id, text: this.#diagnostics() });
        return null;
      default:
        return order satisfies never;
    }
  }

  #mayAct({ action }: PersonAction): boolean {
    return this.#isOwn || (this.#platform !== null && action !== 'instruction.approve');
  }

  async #review(instructionId: string): Promise<ActionOutcome> {
    if (!this.#isOwn && this.#platform === null) return this.#forbidden();
    // A page could have windows opened over and over, also when there is nothing to decide.
    const approvals = this.#visible().snapshot?.approvals ?? [];
    if (!approvals.some(({ instruction_id }) => instruction_id === instructionId)) {
      return refusal('not_waiting', 'approval_gone', this.#deps);
    }
    const opened = await this.#deps.openApproval(instructionId);
    if (opened === 'opened') return { ok: true };
    return refusal('busy', opened === 'too_soon' ? 'error_busy' : 'approval_other_open', this.#deps);
  }

  #diagnostics(): string {
    const { browserName: browser, manifestVersion, now } = this.#deps;
    const { view, history } = this.#state;
    return diagnosticsOf({ view, history, browser, manifestVersion, now: now() });
  }

  #forbidden(): ActionOutcome {
    return refusal('forbidden', 'error_own_pages_only', this.#deps);
  }

  #end(id: string, outcome: ActionOutcome): void {
    this.#send({ news: 'outcome', id, outcome });
  }

  /** The page may have gone meanwhile. */
  #send(news: PeopleNews): void {
    try {
      this.#port.postMessage(news);
    } catch {
      // A closed port has no reader.
    }
  }
}

/** Whether the page at the other end is one of this extension, by its address and its principal. */
function isOwnPage({ sender }: PeoplePort, ownOrigin: string): boolean {
  return (sender?.url ?? '').startsWith(ownOrigin) && `${sender?.origin}/` === ownOrigin;
}

function refusal(code: string, key: string, { translate }: PeopleDeps): ActionOutcome {
  return { ok: false, code, message: translate(key) };
}
