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
  #newestVersion = 0;

  /** Null until the edge has reported it. */
  get seen(): ModeSeen | null {
    return this.#seen;
  }

  /** False while the edge has named a newer version whose mode is not known yet. */
  get isCurrent(): boolean {
    return (this.#seen?.mode_version ?? 0) >= this.#newestVersion;
  }

  /** Notes a version that came without its mode. */
  noteVersion(modeVersion: number): void {
    this.#newestVersion = Math.max(this.#newestVersion, modeVersion);
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
