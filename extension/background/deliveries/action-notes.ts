/** What one action has to say of its tabs and their pages: noted while it runs, read at its end. */
import type { ActionParts, ShellRuntime } from '../../../schema/contracts/action-parts.ts';
import { ACTION_LIMITS } from '../../../schema/contracts/action-parts.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import type { PageLook } from '../../messages.ts';
import type { SkippedTab } from './find-tab.ts';

/** Refusals of a content script that found no element by any selector. */
const NOTHING_MATCHED: Readonly<Record<string, string>> = {
  composer_missing: 'composer: no selector matched',
  send_button_missing: 'send: no selector matched',
};

export class ActionNotes {
  readonly #platform: Platform;
  readonly #drift = new Set<string>();
  #tabId: number | null = null;
  #isRestored = false;
  #skipped: readonly SkippedTab[] = [];
  #look: PageLook | null = null;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  skipped(tabs: readonly SkippedTab[]): void {
    this.#skipped = tabs.slice(0, ACTION_LIMITS.tabs - 1);
  }

  /** `isRestored`: the action opened the tab, or loaded its page. */
  used(tabId: number, isRestored: boolean): void {
    this.#tabId = tabId;
    this.#isRestored = isRestored;
  }

  looked(look: PageLook): void {
    this.#look = look;
    for (const what of look.drift) this.drifted(what);
  }

  refused(refusal: string, look: PageLook): void {
    this.looked(look);
    const what = NOTHING_MATCHED[refusal];
    if (what !== undefined) this.drifted(what);
  }

  drifted(what: string): void {
    if (this.#drift.size < ACTION_LIMITS.drift) this.#drift.add(what.slice(0, 500));
  }

  parts(isOk: boolean, reason: string | null): Required<ActionParts> {
    const tabId = this.#tabId;
    const used = tabId === null ? [] : [tabId];
    const platform = this.#platform;
    return {
      result: {
        desired_count: 1,
        actual_count: used.length,
        ok_count: Number(isOk),
        failed_count: Number(!isOk),
        drift_count: this.#drift.size,
        restored_count: Number(this.#isRestored),
        platform_count: 1,
        skipped_reasons: [...new Set(this.#skipped.map((one) => one.reason))],
      },
      results: [
        ...used.map((tab_id) => ({ platform, tab_id, ok: isOk, skipped: false, reason })),
        ...this.#skipped.map((one) => ({ platform, tab_id: one.tabId, ok: false, skipped: true, reason: one.reason })),
      ],
      shell_runtime: this.#look === null || tabId === null ? [] : [this.#runtime(this.#look, tabId)],
    };
  }

  #runtime({ address, composer, isAnswering, obstacle, login }: PageLook, tab_id: number): ShellRuntime {
    return {
      platform: this.#platform,
      tab_id,
      conversation_id: address.conversationId,
      shell_page: address.kind !== 'conversation',
      restored: this.#isRestored,
      composer,
      is_answering: isAnswering,
      obstacle: obstacle?.kind ?? null,
      login: login?.login ?? null,
      drift: [...this.#drift],
    };
  }
}
