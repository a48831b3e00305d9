/** The system mode as this node knows it: the newest version heard of, from whatever told it. */
import type { SystemMode } from '../../schema/contracts/system.ts';
import { Emitter } from '../lib/emitter.ts';

export interface ModeSeen {
  mode: SystemMode;
  mode_version: number;
}

export class SystemView {
  readonly changed = new Emitter<ModeSeen>();
  #seen: ModeSeen | null = null;

  /** Null until the edge has told it. */
  get seen(): ModeSeen | null {
    return this.#seen;
  }

  /** Takes note of a mode; an older version than the known one is ignored. */
  observe(mode: SystemMode, modeVersion: number): void {
    if (this.#seen && modeVersion <= this.#seen.mode_version) return;
    this.#seen = { mode, mode_version: modeVersion };
    this.changed.emit(this.#seen);
  }
}
