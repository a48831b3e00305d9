/**
 * What went wrong, for people: the newest lines are kept, shown and exported, and the agent gets them for its log. A line
 * never holds content of a conversation, an address, or a secret.
 */
import { z } from 'zod';
import type { ExtensionFrame } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import { Serial } from '../lib/serial.ts';
import type { StorageArea } from '../lib/storage.ts';
import { STORAGE_KEYS, Stored } from '../lib/storage.ts';

export const MAX_DIAGNOSTICS = 200;
/** The same line is not repeated within this time; it is counted. */
const REPEAT_MS = 60_000;
const SAVE_MS = 1_000;

const DiagnosticSchema = z.object({
  at: z.number(),
  platform: PlatformSchema.nullable(),
  /** The conversation that it is about. Lines of an earlier version name none. */
  conversation_id: z.string().max(256).nullable().default(null),
  text: z.string().max(500),
  count: z.number().int(),
});
export type Diagnostic = z.infer<typeof DiagnosticSchema>;

export interface DiagnosticsDeps {
  storage: StorageArea;
  clock: Clock;
  /** Nothing of a site that a person has turned off is kept or sent. */
  isOn: (platform: Platform) => boolean;
  send: (frame: ExtensionFrame) => boolean;
}

export class Diagnostics {
  /** Lines were read or added. */
  readonly changed = new Emitter<void>();
  readonly reported = new Emitter<Pick<Diagnostic, 'platform' | 'text'>>();
  readonly #deps: DiagnosticsDeps;
  readonly #stored: Stored<Diagnostic[]>;
  readonly #writes = new Serial();
  #lines: Diagnostic[] = [];
  #isSaveDue = false;

  constructor(deps: DiagnosticsDeps) {
    this.#deps = deps;
    const schema = z.array(DiagnosticSchema).max(MAX_DIAGNOSTICS);
    this.#stored = new Stored(deps.storage, STORAGE_KEYS.diagnostics, schema, []);
  }

  async load(): Promise<void> {
    const earlier = await this.#stored.read();
    this.#lines = [...earlier, ...this.#lines].slice(-MAX_DIAGNOSTICS);
    this.changed.emit();
  }

  /** The newest lines, oldest first. */
  all(): readonly Diagnostic[] {
    return this.#lines;
  }

  report(platform: Platform | null, message: string, conversation_id: string | null = null): void {
    const { clock, isOn, send } = this.#deps;
    if (platform !== null && !isOn(platform)) return;
    const text = message.slice(0, 500);
    const now = clock.now();
    const known = this.#lines.find(
      (line) => line.platform === platform && line.conversation_id === conversation_id && line.text === text,
    );
    if (known !== undefined && now - known.at < REPEAT_MS) {
      this.#lines = this.#lines.map((line) => (line === known ? { ...line, count: line.count + 1 } : line));
    } else {
      this.#lines = [...this.#lines, { at: now, platform, conversation_id, text, count: 1 }].slice(-MAX_DIAGNOSTICS);
      send({ type: 'diagnostic', level: 'warn', message: platform === null ? text : `${platform}: ${text}` });
    }
    this.reported.emit({ platform, text });
    this.changed.emit();
    this.#saveSoon();
  }

  #saveSoon(): void {
    if (this.#isSaveDue) return;
    this.#isSaveDue = true;
    this.#deps.clock.after(SAVE_MS, () => {
      this.#isSaveDue = false;
      void this.#writes.run(() => this.#stored.write(this.#lines)).catch(() => undefined);
    });
  }
}
