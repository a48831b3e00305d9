/**
 * Saves the checkpoints of one run: in one sequence, on the disk first. A checkpoint whose content is that of the last one
 * of its type is not saved again.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CheckpointBody, CheckpointType } from '../../schema/contracts/runs.ts';
import { syncFolder } from '../host/synced-file.ts';
import { checkpointName } from '../runs/run-paths.ts';

/** A larger patch is removed when a newer one is saved: a long step that changes much would fill the disk. */
const MAX_SUPERSEDED_BYTES = 1024 * 1024;
/** Of each type the first one stays, and this many of the newest: a step that prints all day saves thousands. */
const KEPT_NEWEST = 3;

export interface SavedCheckpoint {
  /** Without the run. */
  body: Omit<CheckpointBody, 'run_id'>;
  /** Inside the run folder. */
  file: string;
}

export interface SaverDeps {
  runFolder: string;
  /** Number of the newest checkpoint. */
  seq: number;
  /** A larger content stays on this host. */
  maxContentBytes: number;
  onSaved: (saved: SavedCheckpoint) => void;
}

/** The highest number of a checkpoint on the disk. `state.json` may not have it yet when an agent was killed. */
export function newestCheckpoint(runFolder: string): number {
  const numbers = readdirSync(join(runFolder, 'checkpoints')).map((name) => Number.parseInt(name, 10));
  return Math.max(0, ...numbers.filter((number) => Number.isInteger(number)));
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** A patch may have any size, and its sync take seconds. */
async function syncSlowly(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export class CheckpointSaver {
  readonly #deps: SaverDeps;
  readonly #last = new Map<CheckpointType, { sha256: string; path: string; size: number }>();
  #seq: number;

  constructor(deps: SaverDeps) {
    this.#deps = deps;
    this.#seq = deps.seq;
  }

  get seq(): number {
    return this.#seq;
  }

  /** Where a checkpoint that is made by a program is written, before it gets its number. */
  get draftPath(): string {
    return join(this.#deps.runFolder, 'checkpoints', '.draft');
  }

  /** @throws the system's error when the disk is full */
  async saveText(type: CheckpointType, text: string): Promise<void> {
    writeFileSync(this.draftPath, text, { mode: 0o600 });
    await this.saveDraft(type);
  }

  /** Saves what is at `draftPath`. `isPartial`: it cannot restore everything, so it is never applied. */
  async saveDraft(type: CheckpointType, { isPartial = false } = {}): Promise<void> {
    const sha256 = await sha256Of(this.draftPath);
    const before = this.#last.get(type);
    if (before?.sha256 === sha256) {
      rmSync(this.draftPath, { force: true });
      return;
    }
    const seq = this.#seq + 1;
    const file = checkpointName(seq, type);
    const path = join(this.#deps.runFolder, file);
    await syncSlowly(this.draftPath);
    renameSync(this.draftPath, path);
    syncFolder(join(this.#deps.runFolder, 'checkpoints'));
    this.#seq = seq;
    const { size } = statSync(path);
    this.#last.set(type, { sha256, path, size });
    if (before !== undefined && before.size > MAX_SUPERSEDED_BYTES) rmSync(before.path, { force: true });
    this.#removeOld(type);
    const isWhole = size <= this.#deps.maxContentBytes;
    const content = isWhole ? { content: readFileSync(path).toString('base64') } : {};
    const body = { seq, type, size, sha256, truncated: isPartial || !isWhole, ...content };
    this.#deps.onSaved({ body, file: basename(file) });
  }

  /** Also those that an earlier agent has saved. */
  #removeOld(type: CheckpointType): void {
    const folder = join(this.#deps.runFolder, 'checkpoints');
    const end = basename(checkpointName(0, type)).replace(/^\d+/, '');
    const numbers = readdirSync(folder).flatMap((name) => (name.endsWith(end) ? [Number.parseInt(name, 10)] : []));
    const old = numbers.sort((a, b) => a - b).slice(1, -KEPT_NEWEST);
    for (const seq of old) rmSync(join(this.#deps.runFolder, checkpointName(seq, type)), { force: true });
  }
}
