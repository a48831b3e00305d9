/** A system may count processor time in ticks of 4 ms: so much is spent before a mean is taken. */
const MEASURED_MICROS = 40_000;
const MAX_RUNS = 100_000;
const MAX_ROUNDS = 5;

/** The mean processor time of this thread: neither waiting for a busy machine nor other threads count. */
function costMicros(run: () => void): number {
  const start = process.threadCpuUsage();
  for (let runs = 1; ; runs++) {
    run();
    const { user, system } = process.threadCpuUsage(start);
    if (user + system >= MEASURED_MICROS || runs === MAX_RUNS) return (user + system) / runs;
  }
}

/**
 * How many times the processor time of the small size the large one takes. `prepare` makes the work of a size; only the
 * work is measured. What disturbs a measurement only adds to it, so it is repeated, five times at most, until the ratio
 * of the least costs is below `limit`.
 */
export function growth(prepare: (size: number) => () => void, sizes: [number, number], limit: number): number {
  const [small, large] = [prepare(sizes[0]), prepare(sizes[1])];
  small();
  const least = { small: Number.POSITIVE_INFINITY, large: Number.POSITIVE_INFINITY };
  let ratio = Number.POSITIVE_INFINITY;
  for (let round = 0; round < MAX_ROUNDS && !(ratio < limit); round++) {
    least.small = Math.min(least.small, costMicros(small));
    least.large = Math.min(least.large, costMicros(large));
    ratio = least.large / least.small;
  }
  return ratio;
}
