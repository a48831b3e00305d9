/**
 * What one run leaves on the disk and hands to the outbox: events, state, checkpoints, logs. A disk fault is noted and ends
 * the run as failed; it never stops the rest of the record.
 */
import type { RunEventType, RunMeta, RunStateFile } from '../../schema/contracts/run-files.ts';
import type { CheckpointType } from '../../schema/contracts/runs.ts';
import { RUN_FILES } from '../../schema/defaults.ts';
import { logTailText } from '../checkpoints/log-tail.ts';
import { CheckpointSaver, newestCheckpoint } from '../checkpoints/saver.ts';
import { errorCode } from '../lib/errno.ts';
import { appendEvent, completeLog, runEvent } from '../runs/events.ts';
import { createRunFolder } from '../runs/run-folder.ts';
import { readState, StateFile } from '../runs/state-file.ts';
import { RunTail } from '../runs/tail.ts';
import { runStream } from '../store/streams.ts';
import type { RunsHost } from './host.ts';
import { checkpointReport, logsReport } from './reports.ts';
import type { StoredRun } from './run-store.ts';

type StatePatch = Parameters<StateFile['update']>[0];

export class RunRecord {
  readonly folder: string;
  readonly #host: RunsHost;
  readonly #run: StoredRun;
  readonly #state: StateFile;
  readonly #saver: CheckpointSaver;
  readonly #tail: RunTail;
  #written: ReadonlyMap<RunEventType, string>;
  #diskFault: string | null = null;
  /** Logs of an ended run are handed on as a whole: the edge keeps a bounded part of each. */
  #isBounded = true;

  /** Makes the folder of the run, or takes up the one that is there. @throws the system's error */
  constructor(run: StoredRun, host: RunsHost) {
    this.#run = run;
    this.#host = host;
    this.folder = createRunFolder(host.runsDir, metaOf(run, host));
    this.#written = new Map(completeLog(this.folder).map(({ type, message }) => [type, message]));
    const state = readState(this.folder);
    if (state === null) throw new Error(`${this.folder} has no state.json`);
    this.#state = new StateFile(this.folder, state, host.clock);
    this.#saver = this.#openSaver(state);
    this.#tail = this.#openTail();
  }

  get state(): RunStateFile {
    return this.#state.state;
  }

  /** Why the disk takes no more; null while it does. */
  get diskFault(): string | null {
    return this.#diskFault;
  }

  /** What the newest event of that type says; null when there is none. */
  said(type: RunEventType): string | null {
    return this.#written.get(type) ?? null;
  }

  /** Writes an event that occurs once in a run; a restart does not write it again. */
  once(
    type: RunEventType,
    message: string,
    data: Record<string, unknown> = {},
    options: { sync?: boolean } = {},
  ): void {
    if (this.#written.has(type)) return;
    this.#write(type, message, data, options);
  }

  transition(patch: StatePatch): void {
    this.#guard(() => this.#state.transition(patch));
  }

  /** The terminal state. */
  end(patch: StatePatch): void {
    this.#guard(() => this.#state.end(patch));
  }

  update(patch: StatePatch): void {
    this.#guard(() => this.#state.update(patch));
  }

  /** Hands on what the logs have; all of it when the run has ended. */
  sendLogs({ isComplete }: { isComplete: boolean }): void {
    this.#isBounded = !isComplete;
    this.#tail.look({ isComplete });
  }

  async saveText(type: CheckpointType, text: string): Promise<void> {
    await this.#guardAsync(() => this.#saver.saveText(type, text));
  }

  async saveLogTail(): Promise<void> {
    await this.saveText('log_tail', logTailText(this.folder));
  }

  /** Saves what `write` puts at the given path. Null: there is nothing to save. */
  async saveFile(type: CheckpointType, write: (path: string) => Promise<{ isPartial: boolean } | null>): Promise<void> {
    await this.#guardAsync(async () => {
      const written = await write(this.#saver.draftPath);
      if (written !== null) await this.#saver.saveDraft(type, written);
    });
  }

  close(): void {
    this.#guard(() => this.#state.close());
    this.#tail.close();
  }

  #write(type: RunEventType, message: string, data: Record<string, unknown>, options: { sync?: boolean } = {}): void {
    this.#guard(() => {
      appendEvent(this.folder, runEvent(type, this.#host.clock.now(), message, data), options);
      this.#written = new Map([...this.#written, [type, message]]);
    });
  }

  #openSaver(state: RunStateFile): CheckpointSaver {
    const { store } = this.#host;
    return new CheckpointSaver({
      runFolder: this.folder,
      seq: Math.max(state.checkpoint_seq, newestCheckpoint(this.folder)),
      maxContentBytes: this.#run.claim.max_checkpoint_bytes,
      onSaved: ({ body, file }) => {
        const { seq, type, size, truncated } = body;
        this.#write('checkpoint_saved', `checkpoint ${seq} is saved`, { file, type, size, truncated });
        store.transaction(() => store.outbox.append(checkpointReport(this.#ids, body)));
        this.update({ checkpoint_seq: seq });
      },
    });
  }

  #openTail(): RunTail {
    const { store, runs, clock } = this.#host;
    const { run_id } = this.#run;
    const waiting = () => RUN_FILES.max_waiting_requests - store.outbox.pendingOf(runStream(run_id));
    return new RunTail({
      folder: this.folder,
      sent: this.#run.sent,
      monotonic: () => clock.monotonic(),
      room: () => (this.#isBounded ? waiting() : Number.POSITIVE_INFINITY),
      send: (chunks, sent) =>
        store.transaction(() => {
          store.outbox.append(logsReport(this.#ids, chunks));
          runs.change(run_id, { sent });
        }),
    });
  }

  get #ids() {
    const { run_id, step_id } = this.#run.claim;
    return { run_id, step_id };
  }

  #guard(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#noteFault(error);
    }
  }

  async #guardAsync(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#noteFault(error);
    }
  }

  #noteFault(error: unknown): void {
    const { run_id } = this.#run;
    this.#host.log.warn({ error, run_id }, 'a part of the record of a run could not be written');
    // Other errors, such as those of git, cost a checkpoint and not the run.
    if (errorCode(error) === null) return;
    const why = error instanceof Error ? error.message : String(error);
    this.#diskFault ??= `the files of the run cannot be written: ${why}`;
  }
}

function metaOf({ claim }: StoredRun, host: RunsHost): RunMeta {
  const agent = claim.kind === 'agent' ? String(claim.input.agent) : null;
  const { run_id, task_id, step_id, attempt, input, timeout_ms, worktree } = claim;
  return {
    run_id,
    task_id,
    step_id,
    attempt,
    controller_id: host.nodeId,
    host: host.host,
    executor: { kind: claim.kind, agent, dialect: agent === null ? null : (host.agents[agent]?.dialect ?? null) },
    request: { input, timeout_ms, worktree },
    versions: { conductor: host.version, node: process.version },
    created_at: host.clock.now(),
  };
}
