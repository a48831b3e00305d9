/** The status of the report of a task's end: which may follow which (drawn in docs/state-machines.md). */
import type { NoticeStatus } from '../contracts/tasks.ts';
import { stateMachine } from './state-machine.ts';

export const NOTICE_TRANSITIONS = {
  pending: ['pending', 'sending', 'failed'],
  sending: ['pending', 'delivered', 'failed', 'uncertain'],
  /** A late outcome says what became of it. */
  uncertain: ['delivered'],
  delivered: [],
  failed: [],
} as const satisfies Record<NoticeStatus, readonly NoticeStatus[]>;

const machine = stateMachine<NoticeStatus>('notice', NOTICE_TRANSITIONS);
export const mayNoticeBecome = machine.mayMove;
/** Throws for a move that the table forbids. */
export const moveNotice = machine.move;
