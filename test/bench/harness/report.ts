/** What a benchmark says, and how it is shown: tables with ratios, the goals with what was reached, and who was absent. */
import Table from 'cli-table3';
import type { Measured } from './measure.ts';

/** A wish about one ratio or figure. Missing it fails nothing: the machine is shared, and figures drift. */
export interface Goal {
  text: string;
  reached: number;
  is: 'at least' | 'at most';
  wanted: number;
}

export interface Section {
  title: string;
  head: string[];
  rows: string[][];
  goals: Goal[];
  notes: string[];
}

export interface Report {
  sections: Section[];
  /** Peers that could not be asked, and why. */
  absent: string[];
}

const meets = ({ reached, is, wanted }: Goal): boolean => (is === 'at least' ? reached >= wanted : reached <= wanted);

/** Three significant digits, thousands separated. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/**
 * A section that puts the first of ours beside everybody else. The last column says how many times as fast ours is as
 * that line: above 1 ours is faster.
 */
export function comparison(
  title: string,
  measured: readonly Measured[],
  more: { unit: 'ops/s' | 'ms'; goals?: Goal[]; notes?: string[] },
): Section {
  const ours = measured.find(({ role }) => role === 'ours');
  const head =
    more.unit === 'ops/s'
      ? ['', 'ops/s', 'p50 ms', 'p99 ms', 'ours is × as fast']
      : ['', 'ms', 'p99 ms', 'ours is × as fast'];
  const rows = measured.map((line) => {
    const ratio = ours === undefined || line === ours ? '' : figure(ours.perSec / line.perSec);
    const name =
      line.role === 'ours' ? `${line.name} (ours)` : line.role === 'floor' ? `${line.name} (floor)` : line.name;
    return more.unit === 'ops/s'
      ? [name, figure(line.perSec), figure(line.p50Ms), figure(line.p99Ms), ratio]
      : [name, figure(1_000 / line.perSec), figure(line.p99Ms), ratio];
  });
  return { title, head, rows, goals: more.goals ?? [], notes: more.notes ?? [] };
}

/** How many times as fast `name` was as `than`; NaN when one of them was absent. */
export function speedup(measured: readonly Measured[], name: string, than: string): number {
  const rate = (wanted: string): number => measured.find((line) => line.name === wanted)?.perSec ?? Number.NaN;
  return rate(name) / rate(than);
}

/** Wishes about how many times as fast `name` is as others; those who were absent are left out. */
export function speedGoals(
  measured: readonly Measured[],
  name: string,
  wanted: readonly (readonly [factor: number, than: string])[],
): Goal[] {
  return wanted
    .map(
      ([factor, than]): Goal => ({
        text: `${name}: × ${than}`,
        reached: speedup(measured, name, than),
        is: 'at least',
        wanted: factor,
      }),
    )
    .filter(({ reached }) => !Number.isNaN(reached));
}

export function renderSection(section: Section): string {
  const table = new Table({ head: section.head, style: { head: [], border: [], compact: true } });
  table.push(...section.rows);
  const goals = section.goals.map(
    (goal) =>
      `  ${meets(goal) ? 'reached' : 'MISSED '}  ${goal.text}: ${figure(goal.reached)} (${goal.is} ${figure(goal.wanted)})`,
  );
  const notes = section.notes.map((note) => `  ${note}`);
  return [section.title, table.toString(), ...goals, ...notes].join('\n');
}

export function renderReport(report: Report): string {
  const absent = report.absent.map((peer) => `absent: ${peer}`);
  return [...report.sections.map(renderSection), ...absent].join('\n\n');
}
