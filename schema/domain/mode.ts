/**
 * The system mode and its version. The version grows with each change of mode and with nothing else, so that a claim
 * made under a mode that is no longer can be told by its number. Asking for the mode that is there changes nothing.
 */
import type { SystemChange } from '../contracts/objects.ts';
import type { SystemRecord } from '../contracts/system.ts';

export const FRESH_SYSTEM: SystemRecord = {
  mode: 'running',
  version: 0,
  since: 0,
  requested_by: null,
  reason: null,
  epoch: 0,
};

export interface ModeDecision {
  next: SystemRecord;
  status: 'applied' | 'unchanged';
}

/** The record after that change; `now` in Unix milliseconds. */
export function decideMode(record: SystemRecord, change: SystemChange, now: number): ModeDecision {
  if (change.mode === record.mode) return { next: record, status: 'unchanged' };
  return {
    next: {
      mode: change.mode,
      version: record.version + 1,
      since: now,
      requested_by: change.requested_by,
      reason: change.reason,
      epoch: record.epoch,
    },
    status: 'applied',
  };
}

/** D1 already has that version from elsewhere: this record's mode stands, under the version after it. */
export function passVersion(record: SystemRecord, version: number): SystemRecord {
  return { ...record, version: Math.max(record.version, version + 1) };
}
