/** Each drawing in docs/state-machines.md beside its table, and each table beside what else depends on its states. */
import { readFileSync } from 'node:fs';
import { getTableConfig } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import { DELIVERY_TRANSITIONS } from '../../../local-agent/delivery/delivery-machine.ts';
import type { InstructionState } from '../../../schema/contracts/instructions.ts';
import { INSTRUCTION_STATES } from '../../../schema/contracts/instructions.ts';
import { ASK_TRANSITIONS } from '../../../schema/domain/ask.ts';
import { COMMAND_TRANSITIONS, commandSourcesOf } from '../../../schema/domain/command-machine.ts';
import { AUTOMATION_TRANSITIONS } from '../../../schema/domain/conversation.ts';
import {
  INSTRUCTION_TRANSITIONS,
  isExecutingStatus,
  isFinalStatus,
  isOpenStatus,
  isStoppedStatus,
  moveInstruction,
  OPEN_STATES,
} from '../../../schema/domain/instruction-machine.ts';
import { JOB_TRANSITIONS } from '../../../schema/domain/job-machine.ts';
import { MESSAGE_TRANSITIONS, moveMessage, OPEN_MESSAGE_STATUSES } from '../../../schema/domain/message-machine.ts';
import { NOTICE_TRANSITIONS } from '../../../schema/domain/notice-machine.ts';
import { PERSON_NOTICE_TRANSITIONS } from '../../../schema/domain/person-notice.ts';
import { isLiveRun, LIVE_RUN_STATUSES, moveRun, RUN_TRANSITIONS } from '../../../schema/domain/run-machine.ts';
import { RETRIED_STEP_STATUSES, STEP_TRANSITIONS } from '../../../schema/domain/step-machine.ts';
import { isEndedTask, OPEN_TASK_STATUSES, TASK_TRANSITIONS } from '../../../schema/domain/task-machine.ts';
import * as tables from '../../../schema/tables/index.ts';

/** By the heading of the drawing. */
const MACHINES: Record<string, Readonly<Record<string, readonly string[]>>> = {
  Instruction: INSTRUCTION_TRANSITIONS,
  Message: MESSAGE_TRANSITIONS,
  'Automation of a conversation': AUTOMATION_TRANSITIONS,
  'Renewal job': JOB_TRANSITIONS,
  Task: TASK_TRANSITIONS,
  Step: STEP_TRANSITIONS,
  Run: RUN_TRANSITIONS,
  'Notice of a task': NOTICE_TRANSITIONS,
  'Notice to a person': PERSON_NOTICE_TRANSITIONS,
  Ask: ASK_TRANSITIONS,
  Command: COMMAND_TRANSITIONS,
  'Delivery on a node': DELIVERY_TRANSITIONS,
};

const page = readFileSync(new URL('../../../docs/state-machines.md', import.meta.url), 'utf8');
const DRAWINGS = page.split(/^## /m).flatMap((section) => {
  const drawing = /```mermaid\n([\s\S]*?)```/.exec(section)?.[1];
  return drawing === undefined ? [] : [[section.split('\n', 1)[0] ?? '', drawing] as const];
});

/** The arrows of a drawing; a path through a `<<choice>>` node is one arrow. */
function arrowsOf(drawing: string): string[] {
  const choices = new Set([...drawing.matchAll(/^\s*state (\w+) <<choice>>/gm)].map(([, name = '']) => name));
  const arrows = [...drawing.matchAll(/^\s*(\w+) --> (\w+)/gm)].map(([, from = '', to = '']) => ({ from, to }));
  const ends = (to: string): string[] =>
    choices.has(to) ? arrows.filter((next) => next.from === to).flatMap((next) => ends(next.to)) : [to];
  return arrows
    .filter(({ from }) => !choices.has(from))
    .flatMap(({ from, to }) => ends(to).map((end) => `${from} ${end}`));
}

describe('docs/state-machines.md', () => {
  it('has one drawing for each state machine', () => {
    expect(DRAWINGS.map(([heading]) => heading)).toEqual(Object.keys(MACHINES));
  });

  it.each(DRAWINGS)('the drawing of "%s" shows exactly the transitions of its table', (heading, drawing) => {
    const table = Object.entries(MACHINES[heading] ?? {}).flatMap(([from, tos]) => tos.map((to) => `${from} ${to}`));
    expect(arrowsOf(drawing).toSorted()).toEqual(table.toSorted());
  });
});

describe('the sets of instruction states', () => {
  it.each(INSTRUCTION_STATES)('%s is either open, or stopped, or final', (status) => {
    const phases = [isOpenStatus(status), isStoppedStatus(status), isFinalStatus(status)];
    expect(phases.filter((isIn) => isIn)).toHaveLength(1);
    expect(isExecutingStatus(status) && !isOpenStatus(status)).toBe(false);
  });

  it.each(INSTRUCTION_STATES)('%s is final exactly when nothing can make it run', (status) => {
    const mayRun = (from: InstructionState): boolean =>
      isExecutingStatus(from) || INSTRUCTION_TRANSITIONS[from].some((to) => mayRun(to));
    expect(isFinalStatus(status)).toBe(!mayRun(status));
  });
});

describe('the sets of task, step and run statuses', () => {
  it('a task has ended when only a retry can move it', () => {
    expect(OPEN_TASK_STATUSES).toEqual(['queued', 'running', 'blocked']);
    expect((['done', 'failed', 'canceled'] as const).every(isEndedTask)).toBe(true);
  });

  it('a retry moves the steps that ended without success', () => {
    expect(RETRIED_STEP_STATUSES).toEqual(['failed', 'timeout', 'canceled']);
  });

  it('a run is live until its end, after which nothing moves it', () => {
    expect(LIVE_RUN_STATUSES).toEqual(['prepared', 'running']);
    expect(isLiveRun('lost')).toBe(false);
    expect(() => moveRun('lost', 'succeeded')).toThrow('the run is lost and cannot become succeeded');
  });

  it('takes the end of a run whose start was not reported', () => {
    expect(moveRun('prepared', 'succeeded')).toBe('succeeded');
  });
});

/** An index over some statuses is used only by a query that names the same ones, so both have to be spelled alike. */
describe('the partial indexes', () => {
  const inList = (states: readonly string[]) => `status IN (${states.map((status) => `'${status}'`).join(', ')})`;
  const conditionOf = (table: Parameters<typeof getTableConfig>[0], name: string) =>
    getTableConfig(table)
      .indexes.find(({ config }) => config.name === name)
      ?.config.where?.queryChunks.flatMap((chunk) => (chunk as { value?: string[] }).value ?? [])
      .join('');

  it('of instructions cover the open states', () => {
    expect(conditionOf(tables.instructions, 'instructions_open')).toBe(inList(OPEN_STATES));
  });

  it('of tasks cover those that have not ended', () => {
    expect(conditionOf(tables.tasks, 'tasks_open')).toBe(inList(OPEN_TASK_STATUSES));
    expect(conditionOf(tables.tasks, 'tasks_open_of_chat')).toBe(
      `local_conversation_id IS NOT NULL AND ${inList(OPEN_TASK_STATUSES)}`,
    );
  });

  it('of runs cover the live ones', () => {
    expect(conditionOf(tables.runs, 'runs_due')).toBe(inList(LIVE_RUN_STATUSES));
    expect(conditionOf(tables.runs, 'runs_live')).toBe(inList(LIVE_RUN_STATUSES));
  });

  it('of commands cover the states that can still expire', () => {
    expect(conditionOf(tables.commands, 'commands_open')).toBe(inList(commandSourcesOf('expired')));
  });
});

describe('a setter of a status', () => {
  it('refuses a move that the table does not have', () => {
    expect(() => moveMessage('executed', 'accepted')).toThrow('the message is executed and cannot become accepted');
    expect(() => moveInstruction('succeeded', 'running')).toThrow('the instruction is succeeded');
  });

  it('ends a message from every open status', () => {
    for (const status of OPEN_MESSAGE_STATUSES) {
      expect([moveMessage(status, 'executed'), moveMessage(status, 'failed')]).toEqual(['executed', 'failed']);
    }
  });

  it('takes the result of a claimed instruction whose start was not reported', () => {
    expect(moveInstruction('claimed', 'succeeded')).toBe('succeeded');
  });
});
