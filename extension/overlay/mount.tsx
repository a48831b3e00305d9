/**
 * Puts the overlay into a page: into a closed shadow root on `html`, once the page has loaded, so that a page that takes over
 * its own markup finds what it expects. The page cannot read it. When the page removes it, it is put back, within bounds.
 * Events inside it do not reach the page's handlers.
 */
import { render } from 'preact';
import { z } from 'zod';
import type { Platform } from '../../schema/contracts/common.ts';
import { STORAGE_KEYS } from '../lib/storage.ts';
import type { PageAddress } from '../sites/facts.ts';
import type { ClientDeps } from './client.ts';
import { PeopleClient } from './client.ts';
import { formatFor } from './format.ts';
import { pressJudge } from './genuine.ts';
import { Overlay } from './overlay.tsx';
import type { PanelPlace } from './place.ts';
import { FIRST_PLACE, PlaceSchema } from './place.ts';
import { OVERLAY_CSS } from './style.ts';
import { translator } from './texts.ts';

/** The attribute of the host, by which an overlay that an earlier version left is found. */
export const HOST_ATTRIBUTE = 'data-conductor-overlay';
/** How often a page may remove it. */
const MAX_RESTORED = 20;
/** Key, pointer and clipboard events; the page's shortcuts must not see what is meant for the overlay. */
const OWN_EVENTS = [
  'keydown',
  'keyup',
  'keypress',
  'pointerdown',
  'pointerup',
  'mousedown',
  'mouseup',
  'click',
  'dblclick',
  'contextmenu',
  'wheel',
  'focusin',
  'focusout',
  'copy',
] as const;

export interface OverlayDeps {
  document: Document;
  platform: Platform;
  /** What the page's address says now. */
  address: () => PageAddress;
  connect: ClientDeps['connect'];
  i18n: { getMessage(key: string, substitutions?: string[]): string; getUILanguage(): string };
  storage: { get(key: string): Promise<Record<string, unknown>>; set(items: Record<string, unknown>): Promise<void> };
}

const PlacesSchema = z.record(z.string(), PlaceSchema);

/** Shows the overlay when the page has loaded. Call it in the top frame, once. */
export function mountOverlay(deps: OverlayDeps): { unmount(): void } {
  const { document } = deps;
  const host = document.createElement('div');
  host.setAttribute(HOST_ATTRIBUTE, '');
  host.setAttribute('popover', 'manual');
  const root = host.attachShadow({ mode: 'closed' });
  const container = document.createElement('div');
  root.append(container);
  addStyle(document, root, OVERLAY_CSS);
  for (const name of OWN_EVENTS) root.addEventListener(name, (event) => event.stopPropagation());
  let guard: { disconnect(): void } | null = null;
  let client: PeopleClient | null = null;
  let isUnmounted = false;
  const show = async (): Promise<void> => {
    const places = await readPlaces(deps);
    if (isUnmounted) return;
    for (const old of document.querySelectorAll(`[${HOST_ATTRIBUTE}]`)) old.remove();
    document.documentElement.append(host);
    host.showPopover();
    guard = keepIn(document, host);
    client = startClient(deps);
    draw(deps, host, container, client, places);
  };
  whenLoaded(document, () => void show());
  return {
    unmount: () => {
      isUnmounted = true;
      guard?.disconnect();
      client?.stop();
      render(null, container);
      host.remove();
    },
  };
}

function startClient({ connect }: OverlayDeps): PeopleClient {
  const after: ClientDeps['after'] = (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  };
  return new PeopleClient({ connect, after, newId: () => crypto.randomUUID() });
}

function draw(
  deps: OverlayDeps,
  host: HTMLElement,
  container: HTMLElement,
  client: PeopleClient,
  places: Record<string, PanelPlace>,
): void {
  const { document, platform, address, i18n } = deps;
  const language = i18n.getUILanguage();
  const now = () => Date.now();
  render(
    <Overlay
      {...{ client, platform, address, language, now }}
      judge={pressJudge(host)}
      firstPlace={places[platform] ?? FIRST_PLACE}
      onPlace={placeWriter(deps)}
      page={document}
      t={translator(i18n)}
      format={formatFor(language, now)}
    />,
    container,
  );
}

function whenLoaded(document: Document, run: () => void): void {
  if (document.readyState === 'complete') run();
  else document.defaultView?.addEventListener('load', run, { once: true });
}

/** A constructed sheet needs no permission of the page. Where Firefox refuses one of a content script, an element is used. */
export function addStyle(document: Document, root: ShadowRoot, css: string): void {
  try {
    const view = document.defaultView as (Window & typeof globalThis) | null;
    const sheet = new (view?.CSSStyleSheet ?? CSSStyleSheet)();
    sheet.replaceSync(css);
    root.adoptedStyleSheets.push(sheet);
  } catch {
    const style = document.createElement('style');
    style.textContent = css;
    root.prepend(style);
  }
}

/** Puts the host back when the page removes it or takes it out of the top layer, a bounded number of times. */
function keepIn(document: Document, host: HTMLElement): { disconnect(): void } {
  let restored = 0;
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
    observer.disconnect();
  };
  const restore = (): void => {
    if (isStopped || (host.isConnected && host.matches(':popover-open'))) return;
    restored += 1;
    if (restored > MAX_RESTORED) {
      stop();
      return;
    }
    if (!host.isConnected) document.documentElement.append(host);
    host.setAttribute('popover', 'manual');
    host.showPopover();
    watch();
  };
  const observer = new MutationObserver(restore);
  host.addEventListener('toggle', restore);
  // A page may replace the whole document element.
  function watch(): void {
    observer.observe(document, { childList: true });
    observer.observe(document.documentElement, { childList: true });
    observer.observe(host, { attributes: true, attributeFilter: ['popover'] });
  }
  watch();
  return { disconnect: stop };
}

async function readPlaces({ storage }: OverlayDeps): Promise<Record<string, PanelPlace>> {
  try {
    const found = await storage.get(STORAGE_KEYS.overlay);
    return PlacesSchema.parse(found[STORAGE_KEYS.overlay]);
  } catch {
    return {};
  }
}

/** A drag moves the overlay many times and is stored once. */
const STORE_AFTER_MS = 400;

function placeWriter(deps: OverlayDeps): (place: PanelPlace) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (place) => {
    clearTimeout(timer);
    timer = setTimeout(() => void writePlace(deps, place), STORE_AFTER_MS);
  };
}

/** Other sites keep their places. */
async function writePlace(deps: OverlayDeps, place: PanelPlace): Promise<void> {
  const places = await readPlaces(deps);
  try {
    await deps.storage.set({ [STORAGE_KEYS.overlay]: { ...places, [deps.platform]: place } });
  } catch {
    // The place is a convenience; without storage it lasts as long as the page.
  }
}
