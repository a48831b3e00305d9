/** Small parts that the panels share. */
import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useContext, useEffect } from 'preact/hooks';
import type { EdgeError } from '../api/client.ts';
import type { Read } from '../api/store.ts';
import { useNow, usePage } from '../page-context.ts';
import { t, word } from '../texts/texts.ts';
import { adviceOf } from './errors.ts';
import { describeError } from './notices.ts';
import type { Tone } from './tones.ts';

/** The heading of a panel, and what can be done with what it shows. */
export function Heading({
  title,
  above,
  children,
}: {
  title: string;
  above?: ComponentChildren;
  children?: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${title} · ${t('app_name')}`;
  }, [title]);
  return (
    <div class="heading">
      <div>
        {above === undefined ? null : <p class="above">{above}</p>}
        <h1>{title}</h1>
      </div>
      {children === undefined ? null : <div class="actions">{children}</div>}
    </div>
  );
}

export function Card({
  title,
  note,
  id,
  tone,
  children,
}: {
  title?: string;
  note?: ComponentChildren;
  id?: string;
  tone?: Tone;
  children: ComponentChildren;
}) {
  const heading = title === undefined ? undefined : (id ?? title.replaceAll(/\W+/g, '-').toLowerCase());
  return (
    <section
      class={tone === undefined ? 'card' : `card ${tone}`}
      {...(heading === undefined ? {} : { 'aria-labelledby': heading })}
    >
      {title === undefined ? null : (
        <header>
          <h2 id={heading}>{title}</h2>
          {note === undefined ? null : <span class="note">{note}</span>}
        </header>
      )}
      {children}
    </section>
  );
}

/** A word with a color; the meaning is in the word. */
export function Pill({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`pill ${tone}`}>{children}</span>;
}

/** How long ago, or until when; the exact time with the pointer over it. */
export function When({ at, isExact = false }: { at: number | null | undefined; isExact?: boolean }) {
  const { format } = usePage();
  const now = useNow(isExact ? 60_000 : 1_000);
  if (at === null || at === undefined) return <span class="faint">–</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={format.exact(at)}>
      {isExact ? format.moment(at, now) : format.ago(at, now)}
    </time>
  );
}

/** When it was, with the time zone, and how long ago that is: for what a person compares with a log. */
export function Moment({ at }: { at: number | null | undefined }) {
  const { format } = usePage();
  const now = useNow();
  if (at === null || at === undefined) return <span class="faint">–</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={format.exact(at)}>
      {format.clock(at, now)} <span class="note one">{format.ago(at, now)}</span>
    </time>
  );
}

/** The end of an id, by which a person knows it apart; the whole of it with the pointer over it. */
export function Id({ id, href }: { id: string; href?: string }) {
  const short = id.length > 16 ? `…${id.slice(-8)}` : id;
  if (href === undefined) {
    return (
      <code class="id" title={id}>
        {short}
      </code>
    );
  }
  return (
    <a class="id" href={href} title={id}>
      {short}
    </a>
  );
}

/** More than a column of facts shows on one line. */
const LONG_CHARS = 24;

/** Whether a value is a text, or the text of a link or id, that is too long for a column. */
function isLong(value: ComponentChildren): boolean {
  if (typeof value === 'string') return value.length > LONG_CHARS;
  if (typeof value !== 'object' || value === null || !('props' in value)) return false;
  return isLong((value.props as { children?: ComponentChildren }).children);
}

/** Names and values, as a list of definitions. Values of null are left out. */
export function Facts({ of }: { of: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  const shown = of.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return (
    <dl class="facts">
      {shown.map(([name, value]) => (
        <div key={name} class={isLong(value) ? 'long' : undefined}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Whether what is shown could not be read again: it may be another by now. */
const HasFailed = createContext(false);

/** That there is none. That is unknown once a later read has failed. */
export function Nothing({ children }: { children: ComponentChildren }) {
  return useContext(HasFailed) ? null : <p class="nothing">{children}</p>;
}

/** That there is nothing, which is known once all of it has been read; until then that it loads, or why it cannot. */
export function NothingOf({ reads, children }: { reads: readonly Read<unknown>[]; children: ComponentChildren }) {
  const failed = reads.find(({ error }) => error !== null);
  if (failed?.error) return <Failure error={failed.error} at={failed.at} />;
  return reads.some(({ data }) => data === null) ? (
    <p class="loading">{t('loading')}</p>
  ) : (
    <Nothing>{children}</Nothing>
  );
}

/** Why something could not be read. What was read before stays, with its age, which no screen reader announces each second. */
export function Failure({ error, at }: { error: EdgeError; at: number | null }) {
  const { format } = usePage();
  const now = useNow();
  return (
    <div class="banner bad">
      <div role="alert">
        <strong>{t('cannot_read', { why: describeError(error) })}</strong> <span>{adviceOf(error)}</span>
      </div>
      {at === null ? null : <span>{t('shown_is_old', { age: format.span(now - at) })}</span>}
    </div>
  );
}

/** What was read, once there is something; until then that it loads, or why it cannot. */
export function Shown<T>({
  of: { data, error, at },
  children,
}: {
  of: Read<T>;
  children: (data: T) => ComponentChildren;
}) {
  return (
    <>
      {error === null ? null : <Failure error={error} at={at} />}
      {data === null ? (
        error === null ? (
          <p class="loading">{t('loading')}</p>
        ) : null
      ) : (
        <HasFailed.Provider value={error !== null}>{children(data)}</HasFailed.Provider>
      )}
    </>
  );
}

export function Status({ kind, value, tone }: { kind: string; value: string; tone: Tone }) {
  return <Pill tone={tone}>{word(kind, value)}</Pill>;
}
