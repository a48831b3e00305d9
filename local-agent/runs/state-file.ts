/**
 * `state.json` of a run. A transition is written and synced at once. Other changes are written at most every 250 ms, the
 * last one always, so that a run with many changes costs little.
 */
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunStateFile } from '../../schema/contracts/run-files.ts';
import { RunStateFileSchema } from '../../schema/contracts/run-files.ts';
import { RUN_FILES } from '../../schema/defaults.ts';
import { readOwnFile } from '../host/own-files.ts';
import { fillReserved, replaceSynced, reserve, roomOf } from '../host/synced-file.ts';
import type { Clock } from '../lib/clock.ts';
import { isDiskFault } from '../lib/errno.ts';

export function statePath(folder: string): string {
  return join(folder, 'state.json');
}

/** The state on the disk; null when there is none. @throws ZodError when another program has damaged it */
export function readState(folder: string): RunStateFile | null {
  const text = readOwnFile(statePath(folder));
  return text === null ? null : RunStateFileSchema.parse(JSON.parse(text));
}

export function stateText(state: RunStateFile): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

const ROOM_BYTES = 8 * 1024;
const MAX_TEXT_CHARS = 400;

/** Takes room for the terminal state, so that a full disk does not leave a run `running` in its files. */
export function reserveEnd(folder: string): void {
  reserve(statePath(folder), ROOM_BYTES);
}

/** With texts that fit into the room. */
function fitted(state: RunStateFile): RunStateFile {
  const cut = (text: string | null) => text?.slice(0, MAX_TEXT_CHARS) ?? null;
  return { ...state, summary: cut(state.summary), error_text: cut(state.error_text) };
}

type Patch = Partial<Omit<RunStateFile, 'run_id' | 'task_id' | 'step_id' | 'attempt' | 'updated_at'>>;

export class StateFile {
  readonly #folder: string;
  readonly #clock: Clock;
  #state: RunStateFile;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #cancelWrite: (() => void) | null = null;

  constructor(folder: string, state: RunStateFile, clock: Clock) {
    this.#folder = folder;
    this.#state = state;
    this.#clock = clock;
  }

  get state(): RunStateFile {
    return this.#state;
  }

  /** Writes a transition, synced. @throws the system's error on a full disk; then the file is the one before */
  transition(patch: Patch): void {
    this.#cancel();
    const next = this.#patched(patch);
    replaceSynced(statePath(this.#folder), stateText(next));
    this.#state = next;
    this.#writtenAt = this.#clock.monotonic();
  }

  /**
   * Writes the terminal state, on a full disk into the room that was taken for it, and also when the step has made the
   * folder read-only. @throws the system's error
   */
  end(patch: Patch): void {
    try {
      if (existsSync(this.#folder)) chmodSync(this.#folder, 0o700);
      this.transition(patch);
      rmSync(roomOf(statePath(this.#folder)), { force: true });
    } catch (error) {
      if (!isDiskFault(error)) throw error;
      const next = fitted(this.#patched(patch));
      fillReserved(statePath(this.#folder), stateText(next), ROOM_BYTES);
      this.#state = next;
    }
  }

  /** Writes a change now, or together with later ones when the last write was less than 250 ms ago. */
  update(patch: Patch): void {
    this.#state = this.#patched(patch);
    if (this.#cancelWrite !== null) return;
    const waitMs = this.#writtenAt + RUN_FILES.state_interval_ms - this.#clock.monotonic();
    if (waitMs <= 0) this.#write();
    else this.#cancelWrite = this.#clock.after(waitMs, () => this.#writeLater());
  }

  /** Writes what waits. */
  close(): void {
    if (this.#cancelWrite !== null) this.#write();
  }

  #patched(patch: Patch): RunStateFile {
    return { ...this.#state, ...patch, updated_at: this.#clock.now() };
  }

  /** Not synced: a power cut may cost a change, which is no transition. */
  #write(): void {
    this.#cancel();
    const path = statePath(this.#folder);
    writeFileSync(`${path}.new`, stateText(this.#state), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    this.#writtenAt = this.#clock.monotonic();
  }

  /** A fault here has no caller: the next write has the change too, and is the one that reports it. */
  #writeLater(): void {
    try {
      this.#write();
    } catch {
      this.#writtenAt = Number.NEGATIVE_INFINITY;
    }
  }

  #cancel(): void {
    this.#cancelWrite?.();
    this.#cancelWrite = null;
  }
}
