/** A log that follows its end while the reader looks at the end. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { LogFeed, MAX_LINES } from '../live/log-feed.ts';
import { usePage } from '../page-context.ts';
import type { TextKey } from '../texts/texts.ts';
import { t } from '../texts/texts.ts';
import { textOfLog } from './log-text.ts';
import { Card } from './parts.tsx';

const NOTES: Readonly<Record<LogFeed['state'], TextKey>> = {
  loading: 'loading',
  live: 'log_live',
  broken: 'log_broken',
  ended: 'log_ended',
};
/** Lines that arrive together are drawn together. */
const DRAW_MS = 150;
const AT_END_PX = 30;

async function open(path: string, offset: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(`${path}?follow=1&offset=${offset}`, { signal, credentials: 'same-origin' });
  if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
  return readAll(response.body);
}

/** Not each browser iterates a body by itself. */
async function* readAll(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

export function Log({ path }: { path: string }) {
  const { live } = usePage();
  const [, draw] = useState(0);
  const region = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  const feed = useMemo(() => {
    let isDue = false;
    const onChange = (): void => {
      if (isDue) return;
      isDue = true;
      setTimeout(() => {
        isDue = false;
        draw((count) => count + 1);
      }, DRAW_MS);
    };
    return new LogFeed({ open: (offset, signal) => open(path, offset, signal), onChange });
  }, [path]);
  useEffect(() => {
    void feed.run();
    return () => feed.stop();
  }, [feed]);
  useEffect(() => {
    let before = live.state;
    return live.subscribe(() => {
      if (before === 'polling' && live.state === 'live') feed.again();
      before = live.state;
    });
  }, [feed, live]);
  useEffect(() => {
    if (isAtEnd.current && region.current !== null) region.current.scrollTop = region.current.scrollHeight;
  });
  const onScroll = ({
    currentTarget: { scrollHeight, scrollTop, clientHeight },
  }: {
    currentTarget: HTMLElement;
  }): void => {
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < AT_END_PX;
  };
  const text = textOfLog(feed.lines);
  return (
    <Card title={t('log')} id="log" note={t(NOTES[feed.state])}>
      {feed.isCut ? <p class="note">{t('log_cut', { n: MAX_LINES })}</p> : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it */}
      <section class="output log" ref={region} tabIndex={0} aria-label={t('log')} onScroll={onScroll}>
        <pre>{text === '' ? t('log_empty') : text}</pre>
      </section>
    </Card>
  );
}
