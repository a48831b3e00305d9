/** A fuzzer of host tools: one random case for each seed, compared with a reference program or a plain result. */
import { setImmediate } from 'node:timers/promises';

export interface Fuzzer {
  name: string;
  /** Runs the case of that seed. @throws when the tool differs from its reference */
  run(seed: number, report: CaseReport): Promise<void>;
}

/** What one fuzzer reports about its cases. */
export class CaseReport {
  readonly counts = new Map<string, number>();
  /** The longest processor time between two turns of the event loop while a tool ran, in milliseconds. */
  longestSilenceMs = 0;

  /** Counts an outcome, such as `applied` or `refused`. */
  count(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
  }

  /** Runs a host tool and measures meanwhile how long the event loop is silent. */
  async watch<T>(run: () => Promise<T>): Promise<T> {
    let isDone = false;
    let turnAt = process.threadCpuUsage();
    const turn = () => {
      const { user, system } = process.threadCpuUsage(turnAt);
      this.longestSilenceMs = Math.max(this.longestSilenceMs, (user + system) / 1_000);
      turnAt = process.threadCpuUsage();
    };
    const turns = async () => {
      while (!isDone) {
        await setImmediate();
        turn();
      }
    };
    const turning = turns();
    try {
      return await run();
    } finally {
      isDone = true;
      await turning;
    }
  }
}
