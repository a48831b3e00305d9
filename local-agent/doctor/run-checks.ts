/** Makes the checks: all at once, each within its time, and none stops another. Fixes run one after the other. */
import { EdgeError } from '../edge/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Check, Outcome } from './check.ts';
import { Skipped } from './check.ts';
import type { CheckReport, DoctorReport, FindingReport } from './report.ts';

/** Longer than any question of one check together. */
export const CHECK_MS = 12_000;

interface Made<W> {
  check: Check<W>;
  outcome: Outcome | { state: 'skipped'; why: string };
  fixed: string[];
}

function whyNotMade(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Skipped) return message;
  if (error instanceof EdgeError && error.kind === 'status') return `the edge does not say: ${error.code}: ${message}`;
  return `it failed: ${message}`;
}

async function make<W>(check: Check<W>, world: W, clock: Pick<Clock, 'after'>): Promise<Made<W>['outcome']> {
  let cancel = () => {};
  const late = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(CHECK_MS, () => reject(new Skipped(`it took longer than ${CHECK_MS / 1_000} s`)));
  });
  try {
    return await Promise.race([Promise.resolve().then(() => check.look(world)), late]);
  } catch (error) {
    return { state: 'skipped', why: whyNotMade(error) };
  } finally {
    cancel();
  }
}

/** Mends what can be mended safely, and looks again. A fix that fails leaves its finding. */
async function mend<W>({ check, outcome }: Made<W>, newWorld: () => W, clock: Pick<Clock, 'after'>): Promise<Made<W>> {
  const findings = outcome.state === 'found' ? outcome.findings.filter(({ fix }) => fix !== undefined) : [];
  if (findings.length === 0) return { check, outcome, fixed: [] };
  for (const { fix } of findings) {
    try {
      await fix?.();
    } catch {
      // The finding stays, with the command that a person runs with more rights.
    }
  }
  const again = await make(check, newWorld(), clock);
  const left = again.state === 'found' ? again.findings.map(({ what }) => what) : [];
  const fixed =
    again.state === 'skipped' ? [] : findings.map(({ what }) => what).filter((what) => !left.includes(what));
  return { check, outcome: again, fixed };
}

export interface RunOptions<W> {
  checks: readonly Check<W>[];
  /** Each call gives a world that has asked nothing yet. */
  newWorld: () => W;
  clock: Pick<Clock, 'after'>;
  fix: boolean;
}

export async function runChecks<W>({ checks, newWorld, clock, fix }: RunOptions<W>): Promise<CheckReport[]> {
  const world = newWorld();
  const made = await Promise.all(
    checks.map(async (check): Promise<Made<W>> => ({ check, outcome: await make(check, world, clock), fixed: [] })),
  );
  const reports: CheckReport[] = [];
  for (const one of made) reports.push(reportOf(fix ? await mend(one, newWorld, clock) : one));
  return reports;
}

function reportOf<W>({ check: { id, group, title }, outcome, fixed }: Made<W>): CheckReport {
  const head = { id, group, title, state: outcome.state, fixed };
  if (outcome.state === 'ok') return { ...head, note: outcome.note, findings: [] };
  if (outcome.state === 'skipped') return { ...head, note: outcome.why, findings: [] };
  const findings = outcome.findings.map(
    ({ fix, ...finding }): FindingReport => ({ ...finding, fixable: fix !== undefined }),
  );
  return { ...head, note: null, findings };
}

/** The whole report. */
export function summarize(root: string, version: string, checks: CheckReport[]): DoctorReport {
  const all = checks.flatMap(({ findings }) => findings);
  const count = (severity: FindingReport['severity']) => all.filter((one) => one.severity === severity).length;
  return {
    root,
    version,
    checks,
    errors: count('error'),
    warnings: count('warning'),
    notes: count('note'),
    skipped: checks.filter(({ state }) => state === 'skipped').length,
  };
}
