/**
 * The system mode and its version. The version grows with each change of mode or hold and with nothing else, so a claim
 * that was made under an earlier mode is recognized by its number. A request for what is set already changes nothing.
 *
 * `hold` marks a pause that only a person ends. A second pause can add it and never removes it.
 */
import type { SystemChange } from '../contracts/objects.ts';
import type { SystemRecord } from '../contracts/system.ts';

export const NEW_SYSTEM: SystemRecord = {
  mode: 'running',
  version: 0,
  hold: false,
  since: 0,
  requested_by: null,
  reason: null,
  epoch: 0,
};

export interface ModeDecision {
  next: SystemRecord;
  /** `held`: a chat asked for the end of a pause that only a person ends. */
  status: 'applied' | 'unchanged' | 'held';
}

/** The record after that change; `now` in Unix milliseconds. */
export function decideMode(record: SystemRecord, change: SystemChange, now: number): ModeDecision {
  if (record.hold && change.mode !== 'paused' && change.by_person !== true) return { next: record, status: 'held' };
  const isSameMode = change.mode === record.mode;
  const hold = change.mode === 'paused' && (record.hold || change.hold === true);
  if (isSameMode && hold === record.hold) return { next: record, status: 'unchanged' };
  return {
    next: {
      mode: change.mode,
      version: record.version + 1,
      hold,
      since: isSameMode ? record.since : now,
      requested_by: change.requested_by,
      reason: change.reason,
      epoch: record.epoch,
    },
    status: 'applied',
  };
}

/** D1 has a version that this record did not set: the record keeps its mode, with the version after D1's. */
export function passVersion(record: SystemRecord, version: number): SystemRecord {
  return { ...record, version: Math.max(record.version, version + 1) };
}

export interface RestoreDecision {
  next: SystemRecord;
  /** The highest version that D1 has confirmed. */
  fenced_version: number;
  /** Whether what was in flight has to be quarantined under `next.epoch`. */
  owed: boolean;
}

/**
 * Compares D1's fence with this record. `confirmed` is the version that D1 had confirmed before it was read. A D1 that is
 * behind it was restored: then the version grows, so that no claim counts that was decided on the restored rows, and the
 * epoch grows unless a quarantine is owed already.
 */
export function decideRestore(
  record: SystemRecord,
  fenced: { confirmed: number; now: number },
  d1: { mode_version: number; epoch: number },
  restored: boolean,
): RestoreDecision {
  const known = { ...record, epoch: Math.max(record.epoch, d1.epoch) };
  const isOwed = d1.epoch < record.epoch;
  if (!restored && d1.mode_version >= fenced.confirmed) {
    return { next: isOwed ? record : known, fenced_version: fenced.now, owed: isOwed };
  }
  return {
    next: { ...known, version: record.version + 1, epoch: isOwed ? record.epoch : known.epoch + 1 },
    fenced_version: Math.min(fenced.now, d1.mode_version),
    owed: true,
  };
}
