/**
 * The edge's tick log as files of this node: each entry once, as one line of JSON in the file of its day (UTC), with
 * `started` and `stopped` lines when a file is opened and closed. It is read in the background, every minute by the leader
 * and every hour by the others. A failed reading or write is repeated at the next interval and affects nothing else.
 */
import type { Logger } from 'pino';
import { pageOf } from '../../schema/contracts/common.ts';
import type { Tick } from '../../schema/contracts/ticks.ts';
import { FRAMEWORK_RUNNER, TickSchema } from '../../schema/contracts/ticks.ts';
import { TICK_LOG } from '../../schema/defaults.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { DayFiles } from '../host/day-files.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Position } from './position.ts';
import { readPosition, writePosition } from './position.ts';

const PageSchema = pageOf(TickSchema);

export interface TickLogDeps {
  nodeId: string;
  edge: Pick<EdgeClient, 'call'>;
  store: Pick<Store, 'meta'>;
  files: DayFiles;
  clock: Clock;
  /** Whether this node leads, and so reads often. */
  isLeader: () => boolean;
  log: Pick<Logger, 'warn'>;
}

interface Lines {
  day: string;
  lines: string[];
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

/** When an entry was written; without a readable time, when its tick began. */
function timeOf(timestamp: string, tick: Tick): number {
  const time = Date.parse(timestamp);
  return Number.isNaN(time) ? tick.started_at : time;
}

/** The entries of some ticks as lines, in order, grouped by runs of the same day. */
function linesOf(ticks: readonly Tick[]): Lines[] {
  const runs: Lines[] = [];
  for (const tick of ticks) {
    for (const entry of tick.entries) {
      const day = dayOf(timeOf(entry.ts, tick));
      const last = runs.at(-1);
      if (last?.day === day) last.lines.push(JSON.stringify(entry));
      else runs.push({ day, lines: [JSON.stringify(entry)] });
    }
  }
  return runs;
}

export class TickLog {
  readonly #deps: TickLogDeps;
  /** The stored position. */
  #position: Position;
  /** Lengths of the files that were written since. */
  #sizes: Record<string, number> = {};
  /** The day whose file is open. */
  #open: string | null = null;
  #working: Promise<void> = Promise.resolve();
  #failing = false;
  #running = false;
  #cancel: () => void = () => undefined;

  constructor(deps: TickLogDeps) {
    this.#deps = deps;
    this.#position = readPosition(deps.store.meta);
  }

  /** Reads new entries now and at every interval; resolves after the first reading. */
  start(): Promise<void> {
    this.#running = true;
    return this.wake();
  }

  /** Reads new entries now; resolves when that has succeeded or failed. */
  wake(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    this.#cancel();
    this.#working = this.#working.then(() => this.#pull());
    return this.#working;
  }

  /** Ends after the write in progress, and closes the file. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancel();
    await this.#working;
    await this.#runBestEffort(async () => {
      await this.#close();
      this.#commitPosition(this.#position.after);
    });
  }

  async #pull(): Promise<void> {
    if (!this.#running) return;
    await this.#runBestEffort(async () => {
      while (this.#running && (await this.#pullPage()) === TICK_LOG.page_size);
      await this.#removeOldFiles();
    });
    if (!this.#running) return;
    const { clock, isLeader } = this.#deps;
    this.#cancel();
    const delayMs = isLeader() ? TICK_LOG.leader_interval_ms : TICK_LOG.standby_interval_ms;
    this.#cancel = clock.after(delayMs, () => void this.wake());
  }

  /** Returns how many ticks the page had. */
  async #pullPage(): Promise<number> {
    const { after } = this.#position;
    const path = `/v1/timed-jobs/ticks?after=${after}&limit=${TICK_LOG.page_size}`;
    const { items } = await this.#deps.edge.call({ method: 'GET', path, schema: PageSchema });
    for (const { day, lines } of linesOf(items)) {
      if (this.#open !== day) await this.#openDay(day);
      await this.#append(day, lines);
    }
    const last = items.at(-1);
    if (last !== undefined) this.#commitPosition(last.tick_seq);
    return items.length;
  }

  async #openDay(day: string): Promise<void> {
    await this.#close();
    const { files } = this.#deps;
    const size = this.#sizes[day] ?? (await files.size(day));
    const known = this.#sizes[day] ?? this.#position.sizes[day];
    if (known === undefined || size < known) this.#store({ sizes: { ...this.#position.sizes, [day]: size } });
    else if (size > known) await files.truncate(day, known);
    await this.#append(day, [this.#markLine('started')]);
    this.#open = day;
  }

  async #close(): Promise<void> {
    const day = this.#open;
    if (day === null) return;
    this.#open = null;
    await this.#append(day, [this.#markLine('stopped')]);
  }

  async #append(day: string, lines: readonly string[]): Promise<void> {
    this.#sizes[day] = await this.#deps.files.append(day, `${lines.join('\n')}\n`);
  }

  #markLine(stage: 'started' | 'stopped'): string {
    const { clock, nodeId } = this.#deps;
    const ts = new Date(clock.now()).toISOString();
    const at = { ts, batch_id: null, runner: FRAMEWORK_RUNNER, stage, result: 'ok', duration_ms: 0, error: null };
    return JSON.stringify({ ...at, trigger: null, controller_id: nodeId });
  }

  /** Stores that the files hold the ticks up to that one. */
  #commitPosition(after: number): void {
    this.#store({ after, sizes: { ...this.#position.sizes, ...this.#sizes } });
    this.#sizes = {};
  }

  #store(change: Partial<Position>): void {
    this.#position = { ...this.#position, ...change };
    writePosition(this.#deps.store.meta, this.#position);
  }

  async #removeOldFiles(): Promise<void> {
    const { files, clock } = this.#deps;
    const oldest = dayOf(clock.now() - TICK_LOG.keep_ms);
    for (const day of await files.days()) if (day < oldest) await files.remove(day);
  }

  /** Logs a failure once until the next success. Lines written without a stored position are cut at the next attempt. */
  async #runBestEffort(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#failing = false;
    } catch (error) {
      this.#open = null;
      this.#sizes = {};
      if (!this.#failing) this.#deps.log.warn({ err: error }, 'the tick log could not be updated');
      this.#failing = true;
    }
  }
}
