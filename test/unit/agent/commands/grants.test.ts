import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { instructionRow } from '../../../support/instruction-row.ts';

const GRANT = {
  grant_id: 'grant_1',
  local_conversation_id: `lc_${'0'.repeat(26)}`,
  controller_id: 'node-1',
  argv: ['git', 'commit', '-m'],
  further_items: 1,
  folder: '/w',
  uses: 1,
  max_uses: 3,
  created_by: 'operator',
  created_at: 1,
  expires_at: Date.UTC(2100, 0, 1),
  revoked_by: null,
  revoked_at: null,
};
const INSTRUCTION = instructionRow({
  local_conversation_id: GRANT.local_conversation_id,
  params: { argv: ['git', 'commit', '-m', 'a message'] },
});
const APPROVAL = {
  display: 'argv: …',
  approval_hash: 'a'.repeat(64),
  cwd: '/w',
  env_names: [],
  file_hashes: {},
  policy_line: '{"match":{"argv":["make"]},"decision":"allow"}',
};

function world(
  more: Partial<Omit<typeof INSTRUCTION, 'status'>> & {
    status?: string;
    approval?: typeof APPROVAL | null;
    asked_folder?: string | null;
  } = {},
) {
  const bodies: unknown[] = [];
  const made = commandWorld(({ method, path, body }: CommandCall) => {
    if (method === 'POST') bodies.push(body);
    if (path.startsWith('/v1/grants')) {
      return method === 'GET' ? { items: [GRANT], next_cursor: null } : { ...GRANT, ...(body as object) };
    }
    const rows = ['ins_1', 'ins_2'].map((instruction_id) => ({ ...INSTRUCTION, ...more, instruction_id }));
    if (path.startsWith('/v1/instructions/')) return { ...rows[0], approval: APPROVAL, events: [], ...more };
    return { items: rows, next_cursor: null };
  });
  return { ...made, bodies };
}

describe('conductor grants', () => {
  it('create makes a grant of an instruction that waits, and says exactly what it covers', async () => {
    const { deps, bodies, stdout, calls } = world();
    const options = ['--leading', '3', '--uses', '3', '--hours', '2', '--operation-id', 'op-1'];
    expect(await runCli(['grants', 'create', 'ins_1', ...options], deps)).toBe(0);
    expect(calls.at(-1)?.key).toBe('op-1');
    expect(bodies).toEqual([
      {
        local_conversation_id: GRANT.local_conversation_id,
        controller_id: 'node-1',
        argv: ['git', 'commit', '-m'],
        further_items: 1,
        folder: '/w',
        max_uses: 3,
        expires_in_ms: 7_200_000,
      },
    ]);
    expect(stdout()).toContain('argv    ["git","commit","-m"] and at most 1 more items, no options');
    expect(stdout()).toContain('folder  /w on node-1');
  });

  it('create covers the exact argv unless it is asked for more', async () => {
    const { deps, bodies } = world();
    await runCli(['grants', 'create', 'ins_1'], deps);
    expect(bodies).toMatchObject([{ argv: INSTRUCTION.params.argv, further_items: 0, max_uses: 5 }]);
  });

  it('create makes the same request again once its instruction has been decided', async () => {
    const options = ['grants', 'create', 'ins_1', '--operation-id', 'op-1'];
    const first = world();
    await runCli(options, first.deps);
    const decided = world({ approval: null, asked_folder: APPROVAL.cwd, status: 'succeeded' });
    expect(await runCli(options, decided.deps)).toBe(0);
    expect(decided.bodies).toEqual(first.bodies);
    expect(decided.calls.at(-1)?.key).toBe('op-1');
    expect(first.stderr()).toContain('itself still waits');
    expect(decided.stderr()).not.toContain('itself still waits');
  });

  it.each([
    ['an option among the further items', ['--leading', '2'], {}, '--leading: 3 to 4'],
    ['too many uses', ['--uses', '21'], {}, 'max_uses'],
    ['too many hours', ['--hours', '9'], {}, 'expires_in_ms'],
  ])('create refuses %s as a wrong call', async (_what, options, more, why) => {
    const { deps, bodies, stderr } = world(more);
    expect(await runCli(['grants', 'create', 'ins_1', ...options], deps)).toBe(2);
    expect(bodies).toEqual([]);
    expect(stderr()).toContain(why);
  });

  it.each([
    ['a script', { params: { command: 'make' } }, 'cannot be granted'],
    ['one that never asked', { approval: null, status: 'succeeded' }, 'no person was asked about a folder'],
  ])('create is refused for %s', async (_what, more, why) => {
    const { deps, bodies, stderr } = world(more);
    expect(await runCli(['grants', 'create', 'ins_1'], deps)).toBe(1);
    expect(bodies).toEqual([]);
    expect(stderr()).toContain(why);
  });

  it('list shows what each covers and how much of it is used, and revoke ends one', async () => {
    const { deps, stdout } = world();
    await runCli(['grants', 'list'], deps);
    expect(stdout()).toMatch(/grant_1 .* \/w .*\["git","commit","-m"\] .* 1\/3 .* valid/);
    expect(await runCli(['grants', 'revoke', 'grant_1'], deps)).toBe(0);
    expect(stdout()).toContain('grant_1 is revoked; it was used 1 times');
  });
});

describe('conductor instructions', () => {
  it('list groups those that are alike, and shows each of them', async () => {
    const { deps, stdout } = world();
    await runCli(['instructions', 'list'], deps);
    expect(stdout()).toContain(`2 alike wait for you in ${GRANT.local_conversation_id}: conductor::exec "git"`);
    expect(stdout()).toContain('  ins_2  {"argv":["git","commit","-m","a message"]}');
  });

  it('show offers the line that would allow exactly that call', async () => {
    const { deps, stdout } = world();
    await runCli(['instructions', 'show', 'ins_1'], deps);
    expect(stdout()).toContain(`exec.rules of policy.json there\n  ${APPROVAL.policy_line}`);
  });
});
