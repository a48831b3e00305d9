/** The system mode as this node knows it: that of the newest version that any source has reported. */
import type { SystemMode } from '../../schema/contracts/system.ts';
import { Emitter } from '../lib/emitter.ts';

export interface ModeSeen {
  mode: SystemMode;
  mode_version: number;
}

export class SystemView {
  readonly changed = new Emitter<ModeSeen>();
  #seen: ModeSeen | null = null;

  /** Null until the edge has reported it. */
  get seen(): ModeSeen | null {
    return this.#seen;
  }

  /** Whether the newest known mode is `running`; false until the edge has reported one. */
  get isKnownRunning(): boolean {
    return this.#seen?.mode === 'running';
  }

  /** Notes a mode; a version that is not newer than the known one is ignored. */
  observe(mode: SystemMode, modeVersion: number): void {
    if (this.#seen && modeVersion <= this.#seen.mode_version) return;
    this.#seen = { mode, mode_version: modeVersion };
    this.changed.emit(this.#seen);
  }
}
