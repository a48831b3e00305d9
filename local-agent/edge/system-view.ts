/** The system mode as this node knows it: that of the newest version that any source has reported. */
import type { SystemMode } from '../../schema/contracts/system.ts';
import { Emitter } from '../lib/emitter.ts';

export interface ModeSeen {
  mode: SystemMode;
  mode_version: number;
  /** Whether only a person ends the pause; null while no source has said so. */
  hold: boolean | null;
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

  /** Notes a mode. A version that is not newer than the known one only adds whether it holds, if that is not known. */
  observe(mode: SystemMode, modeVersion: number, hold?: boolean): void {
    const seen = this.#seen;
    const isNewer = seen === null || modeVersion > seen.mode_version;
    const completes = seen?.mode_version === modeVersion && seen.hold === null && hold !== undefined;
    if (!isNewer && !completes) return;
    // Only a pause can hold.
    this.#seen = { mode, mode_version: modeVersion, hold: mode === 'paused' ? (hold ?? null) : false };
    this.changed.emit(this.#seen);
  }
}
