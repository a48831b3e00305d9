import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const CONVERSATION = `lc_${'0'.repeat(26)}`;
const CURSOR = '0'.repeat(26);
const MESSAGE = {
  kind: 'message',
  id: `msg_${'1'.repeat(26)}`,
  local_conversation_id: CONVERSATION,
  place: 'text',
  before: 'first\n',
  match: 'Needle',
  after: ' and \u202eafter',
  at: Date.UTC(2030, 0, 1),
};
const TASK = { kind: 'task', id: 'task_1', title: 'A needle' };

function world(texts = { items: [MESSAGE], back_to: 1 as number | null, next_cursor: CURSOR as string | null }) {
  return commandWorld(({ path }: CommandCall) =>
    path.startsWith('/v1/search/texts') ? texts : { items: [TASK], has_more: false, titles_searched: 1 },
  );
}

describe('conductor search', () => {
  it('shows objects, and words with what is around them on one line, and how to search further back', async () => {
    const { deps, stdout, stderr, calls } = world();
    expect(await runCli(['search', ' needle '], deps)).toBe(0);
    expect(calls.map(({ path }) => path).sort()).toEqual(['/v1/search/texts?q=needle', '/v1/search?q=needle']);
    expect(stdout()).toMatch(/task +task_1 +A needle/);
    expect(stdout()).toContain('first\\u{a}Needle and \\u{202e}after');
    expect(stderr()).toMatch(new RegExp(`searched back to .*; further back: --cursor ${CURSOR}`));
  });

  it('searches one conversation, and further back, in texts only', async () => {
    const { deps, stdout, calls } = world({ items: [], back_to: null, next_cursor: null });
    expect(await runCli(['search', 'needle', '--conversation', CONVERSATION, '--cursor', CURSOR, '--json'], deps)).toBe(
      0,
    );
    expect(calls.map(({ path }) => path)).toEqual([
      `/v1/search/texts?q=needle&local_conversation_id=${CONVERSATION}&cursor=${CURSOR}`,
    ]);
    const texts = { items: [], back_to: null, next_cursor: null };
    expect(JSON.parse(stdout())).toEqual({ objects: null, texts });
  });

  it.each([
    ['a', [], 'q'],
    ['needle', ['--conversation', 'x'], 'local_conversation_id'],
    ['needle', ['--cursor', 'x'], 'cursor'],
  ])('refuses %s %j without asking the edge', async (text, options, field) => {
    const { deps, stderr, calls } = world();
    expect(await runCli(['search', text, ...options], deps)).toBe(2);
    expect(stderr()).toContain(field);
    expect(calls).toEqual([]);
  });
});
