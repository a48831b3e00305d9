/**
 * A list of objects: filters and place are in the address, so that a list can be shared, and the newest page follows what
 * happens.
 */
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso/router';
import type { z } from 'zod';
import type { EventTopic } from '../../../schema/contracts/events.ts';
import type { Read } from '../api/store.ts';
import { useRead, withQuery } from '../page-context.ts';
import { t } from '../texts/texts.ts';
import { addressed, FindAddressed } from './addressed.tsx';
import { Nothing, Shown } from './parts.tsx';

export interface Column<T> {
  name: string;
  cell: (row: T) => ComponentChildren;
  /** `tight`: as wide as its content; `end`: a number. */
  kind?: 'tight' | 'end';
}

export function Table<T>({
  rows,
  columns,
  keyOf,
  isAddressed = false,
}: {
  rows: readonly T[];
  columns: readonly Column<T>[];
  keyOf: (row: T) => string;
  isAddressed?: boolean;
}) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            {columns.map(({ name, kind }) => (
              <th key={name} scope="col" class={kind}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} {...(isAddressed ? addressed(keyOf(row)) : {})}>
              {columns.map(({ name, cell, kind }) => (
                <td key={name} class={kind} data-name={name}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A filter of a list: one of some values, or a text. */
export interface Filter {
  name: string;
  label: string;
  options?: readonly (readonly [value: string, text: string])[];
  placeholder?: string;
}

export interface ListProps<T> {
  /** Of the API. */
  path: string;
  /** A page of the list, as `pageOf` makes it. */
  schema: z.ZodType<{ items: T[]; next_cursor: string | null }>;
  topics: readonly EventTopic[];
  columns: readonly Column<T>[];
  keyOf: (row: T) => string;
  /** That there is none yet, and how one comes to be. */
  empty: string;
  filters?: readonly Filter[];
  /** Filters that are not the reader's. */
  fixed?: Readonly<Record<string, string>>;
  limit?: number;
  everyMs?: number;
  /** Its objects have no page: the address of the list names one by its key. */
  isAddressed?: boolean;
}

const LIMIT = 25;

export function List<T>({
  path,
  schema,
  topics,
  columns,
  keyOf,
  empty,
  filters = [],
  fixed = {},
  limit = LIMIT,
  everyMs,
  isAddressed = false,
}: ListProps<T>) {
  const { query } = useLocation();
  const chosen = Object.fromEntries(filters.map(({ name }) => [name, query[name] ?? '']));
  const read: Read<{ items: T[]; next_cursor: string | null }> = useRead(
    withQuery(path, { ...chosen, ...fixed, cursor: query.cursor, limit }),
    schema,
    topics,
    everyMs,
  );
  return (
    <>
      {filters.length === 0 ? null : <Filters filters={filters} />}
      <Shown of={read}>
        {({ items, next_cursor }) => (
          <>
            {items.length === 0 ? (
              <Nothing>{whyEmpty(chosen, query.cursor, next_cursor) ?? empty}</Nothing>
            ) : (
              <Table {...{ rows: items, columns, keyOf, isAddressed }} />
            )}
            {isAddressed ? <FindAddressed ids={items.map(keyOf)} next={next_cursor} /> : null}
            <Pages next={next_cursor} />
          </>
        )}
      </Shown>
    </>
  );
}

/** Why a list that may have items shows none: the reader has chosen others, or is behind the last one. */
function whyEmpty(
  chosen: Readonly<Record<string, string>>,
  cursor: string | undefined,
  next: string | null,
): string | null {
  if (next !== null) return t('list_looked_through');
  if (Object.values(chosen).some((value) => value !== '')) return t('list_filtered');
  return cursor === undefined ? null : t('list_ended');
}

function Filters({ filters }: { filters: readonly Filter[] }) {
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      {filters.map((filter) => (
        <p key={filter.name}>
          <label for={`filter-${filter.name}`}>{filter.label}</label>
          <Control filter={filter} />
        </p>
      ))}
    </form>
  );
}

function Control({ filter: { name, options, placeholder } }: { filter: Filter }) {
  const { path, query, route } = useLocation();
  const id = `filter-${name}`;
  const value = query[name] ?? '';
  const choose = (chosen: string): void => route(withQuery(path, { ...query, cursor: null, [name]: chosen }), true);
  if (options === undefined) {
    const onChange = (event: { currentTarget: HTMLInputElement }): void => choose(event.currentTarget.value.trim());
    return <input id={id} type="search" value={value} placeholder={placeholder} onChange={onChange} />;
  }
  return (
    <select id={id} value={value} onChange={(event) => choose(event.currentTarget.value)}>
      <option value="">{t('all')}</option>
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  );
}

/** The way to the pages before and behind. */
export function Pages({ next }: { next: string | null }) {
  const { path, query } = useLocation();
  if (next === null && query.cursor === undefined) return null;
  return (
    <nav class="pages" aria-label={t('pages')}>
      {query.cursor === undefined ? null : <a href={withQuery(path, { ...query, cursor: null })}>{t('newest')}</a>}
      {next === null ? null : <a href={withQuery(path, { ...query, cursor: next })}>{t('older')}</a>}
    </nav>
  );
}
