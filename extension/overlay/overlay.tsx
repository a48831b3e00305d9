/** The overlay in a page: closed or open, at its place, with what the newest view says. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Platform } from '../../schema/contracts/common.ts';
import type { PageAddress } from '../sites/facts.ts';
import type { PeopleClient } from './client.ts';
import { describeAttention } from './describe-lines.ts';
import type { Format } from './format.ts';
import type { PressEvent, Verdict } from './genuine.ts';
import { CloseIcon, MoveIcon } from './icons.tsx';
import { Announcer, Brief, PanelBody } from './panel.tsx';
import type { PanelPlace } from './place.ts';
import { fromPixels, toPixels } from './place.ts';
import type { Translate } from './texts.ts';
import { pageIsDark } from './theme.ts';
import { useActions } from './use-actions.ts';

export interface OverlayProps {
  client: PeopleClient;
  platform: Platform;
  address: () => PageAddress;
  judge: (event: PressEvent) => Verdict;
  firstPlace: PanelPlace;
  onPlace: (place: PanelPlace) => void;
  page: Document;
  language: string;
  t: Translate;
  format: Format;
  now: () => number;
}

const TICK_MS = 1_000;
const KEY_STEP = 24;
const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-KEY_STEP, 0],
  ArrowRight: [KEY_STEP, 0],
  ArrowUp: [0, -KEY_STEP],
  ArrowDown: [0, KEY_STEP],
};

/** Draws again at each view, and each second while the page is visible: times pass, and pages change their address. */
function useMoment({ client, page, now }: OverlayProps): number {
  const [moment, setMoment] = useState(now());
  useEffect(() => {
    const draw = () => setMoment((before) => Math.max(now(), before + 1));
    const unsubscribe = client.onChange(draw);
    const timer = setInterval(() => {
      if (page.visibilityState === 'visible') draw();
    }, TICK_MS);
    page.addEventListener('visibilitychange', draw);
    return () => {
      unsubscribe();
      clearInterval(timer);
      page.removeEventListener('visibilitychange', draw);
    };
  }, []);
  return moment;
}

export function Overlay(props: OverlayProps) {
  const { client, platform, address, judge, page, language, t, format } = props;
  const now = useMoment(props);
  const actions = useActions(client, judge, t, 'in a window');
  const [place, setPlace] = useState(props.firstPlace);
  const frame = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const mustFocus = useRef(false);
  const move = (next: PanelPlace): void => {
    setPlace(next);
    props.onPlace(next);
  };
  const setOpen = (isOpen: boolean): void => {
    mustFocus.current = true;
    move({ ...place, isOpen });
  };
  usePosition(frame, place, page, now);
  useEscape(frame, () => {
    if (place.isOpen) setOpen(false);
  });
  useLayoutEffect(() => {
    if (!mustFocus.current) return;
    mustFocus.current = false;
    const target = place.isOpen ? frame.current?.querySelector<HTMLElement>('.collapse') : opener.current;
    target?.focus({ preventScroll: true });
  }, [place.isOpen]);
  useKeptFocus(frame);
  const { handlers: drag, wasDragged } = useDrag(frame, place, page, move);
  const { view } = client;
  const where = { platform, address: address() };
  return (
    <div ref={frame} class="root" lang={language} data-theme={pageIsDark(page) ? 'dark' : 'light'}>
      {view === null ? null : <Announcer view={view} place={where} now={now} t={t} format={format} />}
      {place.isOpen ? (
        <div class="panel" role="dialog" tabIndex={-1} aria-label={t('overlay_label')}>
          <header {...drag}>
            <h1>{t('app_name')}</h1>
            {view === null ? null : <Brief view={view} place={where} now={now} t={t} format={format} isOpen />}
            <span class="grow" />
            <MoveHandle label={t('move')} onStep={(dx, dy) => move(stepped(frame.current, place, page, dx, dy))} />
            <button
              type="button"
              class="icon collapse"
              aria-label={t('collapse')}
              aria-expanded="true"
              onClick={() => setOpen(false)}
            >
              <CloseIcon />
            </button>
          </header>
          <div class="body">
            {client.isOrphan ? <p class="banner bad">{t('connection_lost_background')}</p> : null}
            {view === null ? (
              <p class="note">{t('connection_connecting')}</p>
            ) : (
              <PanelBody
                {...{ view, place: where, now, t, format, actions }}
                onOptions={() => void client.openOptions()}
              />
            )}
          </div>
          <footer>
            <button type="button" class="quiet" onClick={() => void client.openOptions()}>
              {t('open_options')}
            </button>
          </footer>
        </div>
      ) : (
        <button
          type="button"
          ref={opener}
          class="brief"
          aria-label={`${t('expand')}. ${view === null ? t('connection_connecting') : briefText(props, now)}`}
          aria-expanded="false"
          {...drag}
          onClick={() => {
            if (!wasDragged()) setOpen(true);
          }}
        >
          {view === null ? (
            <span class="note">{t('app_name')}</span>
          ) : (
            <Brief view={view} place={where} now={now} t={t} format={format} isOpen={false} />
          )}
        </button>
      )}
    </div>
  );
}

function briefText({ client: { view }, t, format, address }: OverlayProps, now: number): string {
  if (view === null) return '';
  const waiting = view.snapshot?.approvals_waiting ?? 0;
  const connection = t(`connection_${view.connection.state}`);
  const mode = view.snapshot?.system.is_known ? t(`mode_${view.snapshot.system.mode}`) : t('mode_unknown');
  const attention = describeAttention(view, address(), now, format).map(({ text }) => t(text));
  return [connection, t('say_mode', mode), waiting > 0 ? t('say_approvals', String(waiting)) : '', ...attention].join(
    '. ',
  );
}

function MoveHandle({ label, onStep }: { label: string; onStep: (dx: number, dy: number) => void }) {
  return (
    <button
      type="button"
      class="icon"
      aria-label={label}
      title={label}
      onKeyDown={(event) => {
        const step = STEPS[event.key];
        if (step === undefined) return;
        event.preventDefault();
        onStep(...step);
      }}
    >
      <MoveIcon />
    </button>
  );
}

const sizeOf = ({ width, height }: DOMRect) => ({ width, height });

function windowOf(page: Document): { width: number; height: number } {
  const { clientWidth: width, clientHeight: height } = page.documentElement;
  return { width, height: Math.max(height, page.defaultView?.innerHeight ?? 0) };
}

function stepped(frame: HTMLElement | null, place: PanelPlace, page: Document, dx: number, dy: number): PanelPlace {
  if (frame === null) return place;
  const rect = frame.getBoundingClientRect();
  return fromPixels(place, { left: rect.left + dx, top: rect.top + dy }, windowOf(page), sizeOf(rect));
}

/** Puts the frame where its place says, also when its size or the window has changed. */
function usePosition(frame: { current: HTMLElement | null }, place: PanelPlace, page: Document, now: number): void {
  useLayoutEffect(() => {
    const apply = (): void => {
      const element = frame.current;
      if (element === null) return;
      const { left, top } = toPixels(place, windowOf(page), sizeOf(element.getBoundingClientRect()));
      element.style.left = `${left}px`;
      element.style.top = `${top}px`;
    };
    apply();
    page.defaultView?.addEventListener('resize', apply);
    return () => page.defaultView?.removeEventListener('resize', apply);
  }, [place, now]);
}

/** A button with the focus may go, as after a decision: then the panel has the focus, and the keyboard stays in it. */
function useKeptFocus(frame: { current: HTMLElement | null }): void {
  const focused = useRef<Element | null>(null);
  useEffect(() => {
    const element = frame.current;
    const onFocus = (event: FocusEvent): void => {
      focused.current = event.type === 'focusin' && event.target instanceof Element ? event.target : null;
    };
    element?.addEventListener('focusin', onFocus);
    element?.addEventListener('focusout', onFocus);
    return () => {
      element?.removeEventListener('focusin', onFocus);
      element?.removeEventListener('focusout', onFocus);
    };
  }, []);
  useLayoutEffect(() => {
    if (focused.current === null || focused.current.isConnected) return;
    focused.current = null;
    frame.current?.querySelector<HTMLElement>('.panel')?.focus({ preventScroll: true });
  });
}

function useEscape(frame: { current: HTMLElement | null }, close: () => void): void {
  const newest = useRef(close);
  newest.current = close;
  useEffect(() => {
    const element = frame.current;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') newest.current();
    };
    element?.addEventListener('keydown', onKey);
    return () => element?.removeEventListener('keydown', onKey);
  }, []);
}

/** Moves less than this are a click. */
const DRAG_FROM_PX = 4;

/** Dragging by a pointer: handlers for the part that is held. */
function useDrag(
  frame: { current: HTMLElement | null },
  place: PanelPlace,
  page: Document,
  move: (place: PanelPlace) => void,
) {
  const held = useRef<{ dx: number; dy: number; x: number; y: number; isDragged: boolean } | null>(null);
  const wasDragged = useRef(false);
  const handlers = {
    onPointerDown: (event: PointerEvent) => {
      wasDragged.current = false;
      const isOnButton = event.target instanceof Element && event.target.closest('header button') !== null;
      const rect = frame.current?.getBoundingClientRect();
      if (!event.isTrusted || event.button !== 0 || isOnButton || rect === undefined) return;
      const { clientX: x, clientY: y } = event;
      held.current = { dx: x - rect.left, dy: y - rect.top, x, y, isDragged: false };
      if (event.currentTarget instanceof Element) event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const { current } = held;
      const element = frame.current;
      if (current === null || element === null) return;
      const { clientX: x, clientY: y } = event;
      if (!current.isDragged && Math.hypot(x - current.x, y - current.y) < DRAG_FROM_PX) return;
      current.isDragged = true;
      const size = sizeOf(element.getBoundingClientRect());
      move(fromPixels(place, { left: x - current.dx, top: y - current.dy }, windowOf(page), size));
    },
    onPointerUp: () => {
      wasDragged.current = held.current?.isDragged ?? false;
      held.current = null;
    },
    onPointerCancel: () => {
      held.current = null;
    },
  };
  return { handlers, wasDragged: () => wasDragged.current };
}
