import { describe, expect, it } from 'vitest';
import { GrantCreateBodySchema } from '../../../schema/contracts/grants.ts';
import { groupAlike } from '../../../schema/domain/alike.ts';
import { fewestLeading, grantCovers, grantEnd } from '../../../schema/domain/grant.ts';

const GRANT = { argv: ['git', 'add'], further_items: 2, folder: '/w/repo' };
const covers = (params: Record<string, unknown>, more: { name?: string; folder?: string | null } = {}) =>
  grantCovers(GRANT, { name: 'conductor::exec', folder: '/w/repo', ...more, params });

describe('the calls that a grant covers', () => {
  it.each([
    ['the leading items alone', { argv: ['git', 'add'] }],
    ['as many further items as it has', { argv: ['git', 'add', 'a.ts', 'b.ts'] }],
    [
      'a time limit of its own, and a folder written in another way',
      { argv: ['git', 'add'], timeout_ms: 5, cwd: 'repo' },
    ],
  ])('have %s', (_what, params) => {
    expect(covers(params)).toBe(true);
  });

  it.each([
    ['one further item too many', { argv: ['git', 'add', 'a', 'b', 'c'] }],
    ['an option among the further items', { argv: ['git', 'add', '-A'] }],
    ['a dash alone', { argv: ['git', 'add', 'a', '-'] }],
    ['two dashes alone', { argv: ['git', 'add', '--', 'a'] }],
    ['a leading item too few', { argv: ['git'] }],
    ['another leading item', { argv: ['git', 'push'] }],
    ['a leading item in other letters', { argv: ['git', 'Add'] }],
    ['a leading item that looks alike', { argv: ['git', '\u0430dd'] }],
    ['the leading items as one', { argv: ['git add'] }],
    ['a script', { command: 'git add' }],
    ['variables', { argv: ['git', 'add'], env: { GIT_DIR: '/x' } }],
    ['no variable, but the parameter', { argv: ['git', 'add'], env: {} }],
    ['input', { argv: ['git', 'add'], stdin: 'x' }],
    ['a parameter that this version does not know', { argv: ['git', 'add'], user: 'root' }],
    ['an argv that is no list', { argv: 'git add' }],
  ])('do not have %s', (_what, params) => {
    expect(covers(params)).toBe(false);
  });

  it('are in that folder only, and of that tool only', () => {
    for (const folder of ['/w', '/w/repo/sub', '/w/repo2', '/w/repo/', null]) {
      expect(covers({ argv: ['git', 'add'] }, { folder })).toBe(false);
    }
    expect(covers({ argv: ['git', 'add'] }, { name: 'conductor::files/write' })).toBe(false);
  });

  it.each(['sh', 'bash', '/bin/dash', '/usr/bin/zsh', 'fish'])('have no script after %s', (shell) => {
    const grant = { argv: [shell, '-c'], further_items: 1, folder: '/w' };
    const covered = (params: object, more: object = {}) =>
      grantCovers({ ...grant, ...more }, { name: 'conductor::exec', folder: '/w', params: { ...params } });
    expect(covered({ argv: [shell, '-c', 'rm -r x'] })).toBe(false);
    expect(covered({ argv: [shell, '-c', 'make'] }, { argv: [shell, '-c', 'make'], further_items: 0 })).toBe(true);
    expect(fewestLeading([shell, '-c', 'make'])).toBe(3);
  });

  it('are none where its row cannot be read', () => {
    const call = { name: 'conductor::exec', params: { argv: ['a'] }, folder: '/w/repo' };
    expect(grantCovers({ ...GRANT, argv: [] }, call)).toBe(false);
  });
});

describe('a grant', () => {
  const LIVE = { revoked_at: null, expires_at: 1_000, uses: 1, max_uses: 2 };

  it('ends by revocation, by time and by its last use', () => {
    expect(grantEnd(LIVE, 999)).toBeNull();
    expect(grantEnd({ ...LIVE, revoked_at: 1 }, 999)).toBe('revoked');
    expect(grantEnd(LIVE, 1_000)).toBe('expired');
    expect(grantEnd({ ...LIVE, uses: 2 }, 999)).toBe('used_up');
  });

  it('is refused without limits, beyond 20 uses and 8 hours, and for what it never covers', () => {
    const body = {
      local_conversation_id: `lc_${'0'.repeat(26)}`,
      argv: ['git', 'add'],
      folder: '/w/repo',
      max_uses: 20,
      expires_in_ms: 8 * 3_600_000,
    };
    expect(GrantCreateBodySchema.parse(body).further_items).toBe(0);
    const bad = [
      { max_uses: 21 },
      { max_uses: 0 },
      { max_uses: undefined },
      { expires_in_ms: 8 * 3_600_000 + 1 },
      { expires_in_ms: undefined },
      { argv: [] },
      { argv: ['x'.repeat(4_096), 'y'] },
      { further_items: -1 },
      { further_items: 17 },
      { folder: 'repo' },
      { command: 'ls' },
      { env: {} },
      { stdin: '' },
    ];
    for (const more of bad)
      expect([more, GrantCreateBodySchema.safeParse({ ...body, ...more }).success]).toEqual([more, false]);
  });

  it('keeps every option of an argv among its leading items', () => {
    expect(fewestLeading(['git', 'commit', '-m', 'x'])).toBe(3);
    expect(fewestLeading(['ls', 'a', 'b'])).toBe(1);
  });
});

describe('instructions that wait for a person', () => {
  const asking = (id: number, conversation: string, tool: string, params: Record<string, unknown>) => ({
    id,
    local_conversation_id: conversation,
    target: 'conductor',
    tool,
    params,
  });

  it('are alike in the same conversation, tool and program, in the order of the first', () => {
    const groups = groupAlike([
      asking(1, 'lc_1', 'exec', { argv: ['git', 'push'] }),
      asking(2, 'lc_2', 'exec', { argv: ['git', 'push'] }),
      asking(3, 'lc_1', 'exec', { argv: ['git', 'add'] }),
      asking(4, 'lc_1', 'exec', { command: 'git push' }),
      asking(5, 'lc_1', 'exec', { argv: ['rm', 'x'] }),
      asking(6, 'lc_1', 'files/write', { path: 'git' }),
      asking(7, 'lc_1', 'exec', { command: 'rm x' }),
    ]);
    expect(groups.map(({ program, items }) => [program, ...items.map(({ id }) => id)])).toEqual([
      ['git', 1, 3],
      ['git', 2],
      [null, 4, 7],
      ['rm', 5],
      [null, 6],
    ]);
  });
});
