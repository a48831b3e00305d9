/** A snapshot of any shape for people: values by their path, and each list of objects as a table below. */
import type { CommandDeps } from './deps.ts';
import { printFields, printTable, withMoments } from './output.ts';

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTable = (value: unknown): value is Fields[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject);

/** The values in it by their path, such as `lease.state`. */
function flatten(value: Fields, before = ''): Fields {
  const flat = Object.entries(value).map(([name, inner]): Fields => {
    const path = `${before}${name}`;
    if (isObject(inner)) return flatten(inner, `${path}.`);
    const isPlainList = Array.isArray(inner) && !isTable(inner);
    return { [path]: isPlainList ? inner.join(', ') || null : inner };
  });
  return Object.assign({}, ...flat) as Fields;
}

/** Prints the snapshot without braces. */
export function printSnapshot(deps: CommandDeps, snapshot: Fields): void {
  const all = Object.entries(withMoments(flatten(snapshot)));
  printFields(deps, Object.fromEntries(all.filter(([, value]) => !isTable(value))));
  for (const [path, value] of all) {
    if (!isTable(value)) continue;
    const rows = value.map((row) => withMoments(flatten(row)));
    const head = [...new Set(rows.flatMap(Object.keys))];
    deps.print('');
    deps.print(path);
    printTable(
      deps,
      head.map((name) => name.toUpperCase()),
      rows.map((row) => head.map((name) => row[name])),
      '',
    );
  }
}
