/** What every part of the page uses: what was read, the live connection, the caller, and how values are written. */
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { z } from 'zod';
import type { EventTopic } from '../../schema/contracts/events.ts';
import type { Role, Session } from '../../schema/contracts/tokens.ts';
import { callEdge } from './api/client.ts';
import type { Read, Store } from './api/store.ts';
import type { Live } from './live/live.ts';
import type { Format } from './parts/format.ts';
import type { Notices } from './parts/notices.ts';

export interface PageContext {
  store: Store;
  live: Live;
  notices: Notices;
  session: Session;
  format: Format;
  signOut: () => void;
}

const Context = createContext<PageContext | null>(null);
export const PageProvider = Context.Provider;

export function usePage(): PageContext {
  const context = useContext(Context);
  if (context === null) throw new Error('used outside of the page');
  return context;
}

const ACTING: readonly Role[] = ['browser_admin', 'ops_admin'];

/** What the caller may do. What it may not is not offered. */
export function useRights(): { canAct: boolean; isOperator: boolean } {
  const { role } = usePage().session;
  return { canAct: ACTING.includes(role), isOperator: role === 'ops_admin' };
}

const EMPTY: Read<never> = { data: null, error: null, at: null, isLoading: false };

/**
 * What the edge has at `path`, read again when an event names one of the topics, and every `everyMs` where no event says
 * that it has changed; nothing for a path of null. One path is read with one schema everywhere.
 */
export function useRead<T extends z.ZodType>(
  path: string | null,
  schema: T,
  topics: readonly EventTopic[],
  everyMs?: number,
): Read<z.output<T>> {
  const { store } = usePage();
  const [, draw] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    const load = (at: string) => callEdge(at, schema);
    return store.show({ path, topics, load }, () => draw((count) => count + 1));
  }, [path, store]);
  useEffect(() => {
    if (path === null || everyMs === undefined) return undefined;
    const timer = setInterval(() => store.readAgain(path), everyMs);
    return () => clearInterval(timer);
  }, [path, everyMs, store]);
  return path === null ? EMPTY : store.peek<z.output<T>>(path);
}

/** The time, drawn again every `everyMs`. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setNow(Date.now());
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** A path with a query; values that are missing or empty are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | null | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === null || value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}
