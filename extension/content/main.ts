/** The content script: one for each page of a site, in its top frame. It composes the parts and connects them. */
import { systemClock } from '../lib/clock.ts';
import { matcher } from '../lib/match-pattern.ts';
import type { Fetch } from '../lib/perform-reading.ts';
import type { PageLook, PageNotice } from '../messages.ts';
import { mountOverlay } from '../overlay/mount.tsx';
import { SITES } from '../sites/registry.ts';
import type { Site } from '../sites/site.ts';
import { callListener } from './calls.ts';
import { startComposing } from './composing/composing.ts';
import { watchInterruptions } from './interruptions.ts';
import { watchKeyboard } from './keyboard.ts';
import { lookAt } from './look.ts';
import { giveOpinion } from './opinion.ts';
import { readConversation } from './read.ts';
import { showAnswer } from './shown-answer.ts';
import { viewOf } from './view.ts';
import { watchPage } from './watch.ts';

declare global {
  /** The page's own `fetch` in a Manifest V2 content script of Firefox. */
  var content: { fetch: typeof fetch } | undefined;
  /** Set once in this page: after an update of the extension its script may be injected again. */
  var conductorContent: true | undefined;
}

/** A look without what changes by the passing of time alone. */
function lookKey({ typedAgoMs, ...look }: PageLook): string {
  return JSON.stringify([look, typedAgoMs === null]);
}

function start(site: Site): void {
  const clock = systemClock;
  let lastKey = '';
  const composedText = () => {
    const composer = site.page.composer(document);
    return composer === null ? '' : site.page.composedText(composer);
  };
  const keyboard = watchKeyboard({ document, composedText, now: () => clock.now() });
  const parts = { document, location, site, now: () => clock.now(), typedAt: () => keyboard.typedAt() };
  const pageFetch: Fetch = (url, init) => (globalThis.content ?? globalThis).fetch(url, init);
  const interruptions = watchInterruptions(
    document,
    () => site.page.isAnswering(document),
    () => clock.now(),
  );
  const shown = { document, location, site, clock, startedAt: clock.now(), interruptedAt: interruptions.at };
  const look = () => lookAt(parts);
  const address = () => site.wire.addressOf(new URL(location.href));
  const typedAgoMs = () => {
    const typedAt = keyboard.typedAt();
    return typedAt === null ? null : clock.now() - typedAt;
  };
  const composing = startComposing({ document, page: site.page, address, look, typedAgoMs, now: () => clock.now() });
  browser.runtime.onMessage.addListener(
    callListener({
      look: async () => look(),
      compose: (order) => composing.compose(order),
      press: (order) => composing.press(order),
      withdraw: (order) => composing.withdraw(order),
      read: (order) => readConversation({ document, location, site, fetch: pageFetch }, order),
      view: async () => viewOf(parts),
      show: (order) => showAnswer(shown, order),
      opinion: (order) => giveOpinion({ document, page: site.page, clock }, order),
      answered: async ({ text }) => {
        keyboard.answered(text);
        return true;
      },
    }),
  );
  watchPage({
    window,
    clock,
    look() {
      const seen = look();
      const key = lookKey(seen);
      if (key === lastKey) return;
      lastKey = key;
      const notice: PageNotice = { to: 'background', notice: 'page_changed', look: seen };
      browser.runtime.sendMessage(notice).catch(() => {
        // The background page starts, or the extension was updated. The next change is reported again.
        lastKey = '';
      });
    },
  });
}

function showOverlay(site: Site): void {
  const { runtime, i18n, storage } = browser;
  mountOverlay({
    document,
    platform: site.platform,
    address: () => site.wire.addressOf(new URL(location.href)),
    connect: (name) => runtime.connect({ name }),
    i18n,
    storage: storage.local,
  });
}

const site = SITES.find(({ matches }) => matcher(matches)(location.href));
if (site !== undefined && window.top === window && globalThis.conductorContent === undefined) {
  globalThis.conductorContent = true;
  start(site);
  showOverlay(site);
}
