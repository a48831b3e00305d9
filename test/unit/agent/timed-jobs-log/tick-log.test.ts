import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import type { DayFiles } from '../../../../local-agent/host/day-files.ts';
import { openDayFiles } from '../../../../local-agent/host/day-files.ts';
import type { Store } from '../../../../local-agent/store/store.ts';
import { TickLog } from '../../../../local-agent/timed-jobs-log/tick-log.ts';
import type { Tick } from '../../../../schema/contracts/ticks.ts';
import { TICK_LOG } from '../../../../schema/defaults.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { TestClock } from '../../../support/test-clock.ts';

const NOON = Date.parse('2026-11-21T12:00:00.000Z');

function tick(tick_seq: number, ts: string): Tick {
  const entry = { batch_id: `tick_${tick_seq}`, runner: 'r', stage: 'tick_completed', result: 'ok' } as const;
  const entries = [{ ts, ...entry, duration_ms: 1, error: null, trigger: 'cron' as const }];
  const { batch_id } = entry;
  return { tick_seq, batch_id, trigger: 'cron', decision: 'scheduled', started_at: NOON, finished_at: NOON, entries };
}

/** One host's tick log before an edge that holds `ticks`; `restart` is another process on the same files. */
class World {
  readonly clock = new TestClock(NOON);
  readonly folder = join(tempDir(), 'timed-jobs');
  readonly ticks: Tick[] = [];
  readonly asked: string[] = [];
  readonly warnings: unknown[] = [];
  edgeIsUp = true;
  isLeader = true;
  files: DayFiles = openDayFiles(this.folder);
  readonly #path = join(tempDir(), 'agent.sqlite');
  store: Store = openTestStore(this.clock, this.#path);
  log: TickLog = this.#make();

  async restart(how: 'kill' | 'stop'): Promise<void> {
    if (how === 'stop') await this.log.stop();
    this.store.close();
    this.store = openTestStore(this.clock, this.#path);
    this.log = this.#make();
    await this.log.start();
  }

  lines(day: string): { stage: string; batch_id: string | null }[] {
    const path = join(this.folder, `${day}.jsonl`);
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  batches(day: string): (string | null)[] {
    return this.lines(day)
      .filter(({ stage }) => stage === 'tick_completed')
      .map(({ batch_id }) => batch_id);
  }

  #make(): TickLog {
    return new TickLog({
      nodeId: 'node-a',
      edge: { call: (request) => this.#call(request) },
      store: this.store,
      files: this.files,
      clock: this.clock,
      isLeader: () => this.isLeader,
      log: { warn: (...entry: unknown[]) => void this.warnings.push(entry) },
    });
  }

  async #call<T>({ path, schema }: EdgeRequest<T>): Promise<T> {
    this.asked.push(path);
    if (!this.edgeIsUp) throw new EdgeError('network', 0, 'network', 'away');
    const query = new URL(path, 'http://edge').searchParams;
    const items = this.ticks
      .filter(({ tick_seq }) => tick_seq > Number(query.get('after')))
      .slice(0, Number(query.get('limit')));
    return schema.parse({ items, next_cursor: null });
  }
}

const DAY = '2026-11-21';

async function started(...ticks: Tick[]): Promise<World> {
  const world = new World();
  world.ticks.push(...ticks);
  await world.log.start();
  return world;
}

describe('the tick log of a node', () => {
  it('each entry is one line in the file of its day, between started and stopped', async () => {
    const world = await started(tick(1, '2026-11-21T23:59:59.999Z'), tick(2, '2026-11-22T00:00:00.000Z'));
    expect(world.lines('2026-11-21').map(({ stage }) => stage)).toEqual(['started', 'tick_completed', 'stopped']);
    expect(world.lines('2026-11-22').map(({ stage }) => stage)).toEqual(['started', 'tick_completed']);
    await world.log.stop();
    expect(
      world
        .lines('2026-11-22')
        .map(({ stage }) => stage)
        .at(-1),
    ).toBe('stopped');
  });

  it('a reading continues where the last one ended, page by page', async () => {
    const many = Array.from({ length: TICK_LOG.page_size + 1 }, (_, n) => tick(n + 1, '2026-11-21T10:00:00Z'));
    const world = await started(...many);
    expect(world.batches(DAY)).toEqual(many.map(({ batch_id }) => batch_id));
    world.ticks.push(tick(900, '2026-11-21T10:01:00Z'));
    await world.log.wake();
    expect(world.batches(DAY).at(-1)).toBe('tick_900');
    expect(world.batches(DAY)).toHaveLength(many.length + 1);
  });

  it.each(['kill', 'stop'] as const)('each entry is there once after a %s and a restart', async (how) => {
    const world = await started(tick(1, '2026-11-21T10:00:00Z'));
    await world.restart(how);
    world.ticks.push(tick(2, '2026-11-21T10:01:00Z'));
    await world.log.wake();
    await world.restart(how);
    expect(world.batches(DAY)).toEqual(['tick_1', 'tick_2']);
  });

  it('lines that a dead process wrote without storing its position are cut', async () => {
    const world = await started(tick(1, '2026-11-21T10:00:00Z'));
    world.ticks.push(tick(2, '2026-11-21T10:01:00Z'));
    const path = join(world.folder, `${DAY}.jsonl`);
    appendFileSync(path, `${JSON.stringify(tick(2, '2026-11-21T10:01:00Z').entries[0])}\n{"torn`);
    await world.restart('kill');
    expect(world.batches(DAY)).toEqual(['tick_1', 'tick_2']);
  });

  it('a log that cannot be written is reported once and completed later', async () => {
    const world = new World();
    writeFileSync(world.folder, 'a file where the folder should be');
    world.ticks.push(tick(1, '2026-11-21T10:00:00Z'));
    await world.log.start();
    await world.log.wake();
    expect(world.warnings).toHaveLength(1);
    const other = openDayFiles(join(world.folder, '..', 'another-folder'));
    Object.assign(world.files, other);
    await world.log.wake();
    expect(readFileSync(join(world.folder, '..', 'another-folder', `${DAY}.jsonl`), 'utf8')).toContain('tick_1');
  });

  it('an unreachable edge is read again at the next interval', async () => {
    const world = new World();
    world.edgeIsUp = false;
    world.ticks.push(tick(1, '2026-11-21T10:00:00Z'));
    await world.log.start();
    expect(world.batches(DAY)).toEqual([]);
    world.edgeIsUp = true;
    await world.clock.elapse(TICK_LOG.leader_interval_ms);
    await expect.poll(() => world.batches(DAY)).toEqual(['tick_1']);
  });

  it.each([
    [true, TICK_LOG.leader_interval_ms],
    [false, TICK_LOG.standby_interval_ms],
  ])('a node that leads (%s) reads at its own interval', async (leads, intervalMs) => {
    const world = new World();
    world.isLeader = leads;
    await world.log.start();
    await world.clock.elapse(intervalMs - 1);
    expect(world.asked).toHaveLength(1);
    await world.clock.elapse(1);
    expect(world.asked).toHaveLength(2);
  });

  it('files are kept for thirty days', async () => {
    const world = new World();
    mkdirSync(world.folder, { recursive: true });
    for (const day of ['2026-10-21', '2026-10-22', '2026-11-20']) writeFileSync(join(world.folder, `${day}.jsonl`), '');
    writeFileSync(join(world.folder, 'notes.txt'), '');
    await world.log.start();
    expect(readdirSync(world.folder).sort()).toEqual(['2026-10-22.jsonl', '2026-11-20.jsonl', 'notes.txt']);
  });
});
