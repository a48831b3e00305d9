import { describe, expect, it } from 'vitest';
import { completionsAt } from '../../../../local-agent/commands/completions.ts';
import { createProgram, runCli } from '../../../../local-agent/commands/main.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const program = createProgram(commandWorld(() => ({})).deps, async () => undefined);

function offered(...words: string[]): string[] {
  return completionsAt(program, words).candidates.map(({ value }) => value);
}

describe('what can be typed at a place of a command line', () => {
  it('commands, also those of a group, with what they do', () => {
    expect(offered('task')).toEqual(['tasks']);
    expect(offered('tasks', 'ha')).toEqual(['hand-over']);
    expect(completionsAt(program, ['audit', 'li']).candidates).toEqual([
      { value: 'list', about: 'list who changed what, newest first' },
    ]);
  });

  it('no hidden command', () => {
    expect(offered('compl')).toEqual(['completion']);
  });

  it('the options of the command that are not on the line yet', () => {
    expect(offered('tasks', 'list', '--stat')).toEqual(['--state-dir', '--status']);
    expect(offered('tasks', 'list', '--status', 'done', '--stat')).toEqual(['--state-dir']);
  });

  it.each([
    [['tasks', 'list', '--status', 'd'], ['done']],
    [['tasks', 'list', '--status=d'], ['--status=done']],
    [['tasks', 'list', '--status', '=', 'd'], ['done']],
    [
      ['tasks', 'list', '--status', '='],
      ['queued', 'running', 'done', 'failed', 'canceled', 'blocked'],
    ],
    [
      ['browsers', 'list', '--json', '--platform', 'c'],
      ['chatgpt', 'claude'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
  ])('the values of %j', (words, values) => {
    expect(offered(...words).sort()).toEqual([...values].sort());
  });

  it('a value that is free text gets nothing offered', () => {
    expect(completionsAt(program, ['pause', '--reason', ''])).toEqual({
      candidates: [],
      object: null,
      status: null,
      files: false,
    });
  });

  it.each([
    [['tasks', 'show', ''], 'task'],
    [['tasks', 'show', '--json', ''], 'task'],
    [['nodes', 'drain', 'm'], 'node'],
    [['jobs', 'list', '--conversation', ''], 'conversation'],
    [['tasks', 'show', 'task_1', ''], null],
    [['tasks', 'create', ''], null],
  ])('at the end of %j the id of an object: %s', (words, object) => {
    expect(completionsAt(program, words).object).toBe(object);
  });

  it.each([
    [['tasks', 'create', '--file', ''], true],
    [['status', '--root', '/sr'], true],
    [['journal', 'export', '--out', ''], true],
    [['status', '--control-api-base', ''], false],
  ])('at the end of %j files: %s', (words, files) => {
    expect(completionsAt(program, words).files).toBe(files);
  });
});

describe('the ids of objects', () => {
  it('they come from the newest page of their list, with a title on one line', async () => {
    const items = [
      { task_id: 'task_2', title: 'Fix\nit\u001b[2J' },
      { task_id: 'other_1', title: 'no' },
    ];
    const world = commandWorld(() => ({ items, next_cursor: null }));
    expect(await runCli(['complete', '--', 'tasks', 'show', 'task_'], world.deps)).toBe(0);
    expect(world.calls.map(({ path }) => path)).toEqual(['/v1/tasks?limit=50']);
    expect(world.out).toEqual(['task_2\tFix\\u{a}it\\u{1b}[2J']);
  });

  it.each([
    ['instructions approve', '/v1/instructions?limit=50&status=awaiting_approval'],
    ['instructions deny', '/v1/instructions?limit=50&status=awaiting_approval'],
    ['grants create', '/v1/instructions?limit=50&status=awaiting_approval'],
    ['instructions show', '/v1/instructions?limit=50'],
  ])('for %s they are those that the command takes', async (command, path) => {
    const world = commandWorld(() => ({ items: [], next_cursor: null }));
    expect(await runCli(['complete', '--', ...command.split(' '), ''], world.deps)).toBe(0);
    expect(world.calls.map((call) => call.path)).toEqual([path]);
  });

  it('an edge that fails or takes too long is not mentioned', async () => {
    const world = commandWorld(() => {
      throw new EdgeError('network', 0, 'network', 'no response within 300 ms');
    });
    expect(await runCli(['complete', '--', 'tasks', 'show', ''], world.deps)).toBe(0);
    expect([world.out, world.err]).toEqual([[], []]);
  });

  it('a line that needs no id does not ask the edge', async () => {
    const world = commandWorld(() => ({}));
    expect(await runCli(['complete', '--', 'tasks', 'create', '--file', ''], world.deps)).toBe(0);
    expect([world.calls, world.out]).toEqual([[], [':files']]);
  });
});
