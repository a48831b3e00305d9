import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const JOB = 'job_01m8cfdxyyy7z5fqcft4b35v9r';
const OTHER = 'job_01m8cfdxyzz7z5fqcft4b35v9r';
const TOKEN = 'tok_01m8cfdxyyy7z5fqcft4b35v9r';

/** An edge that finds these jobs, lists one token, and takes every change. */
function world(...ids: string[]) {
  const items = ids.map((id) => ({ kind: 'renewal', id, title: null }));
  const token = { token_id: TOKEN, subject: 'ops' };
  const respond = ({ path, method }: CommandCall) => {
    if (path.startsWith('/v1/search')) return { items, has_more: false, titles_searched: 0 };
    if (method === 'DELETE') return {};
    if (path.startsWith('/v1/tokens?')) return { items: [token], next_cursor: null };
    throw new Error(`GET ${path} is the end of the test`);
  };
  return commandWorld(respond);
}

const paths = ({ calls }: ReturnType<typeof world>) => calls.map(({ path }) => path);

describe('the beginning of an id', () => {
  it.each(['job_01m8cfdxyy', '01m8cfdxyy', 'JOB_01M8CFDXYY'])(
    '%s means the one object whose id begins so',
    async (typed) => {
      const at = world(JOB);
      await runCli(['jobs', 'show', typed], at.deps);
      expect(paths(at)).toEqual(['/v1/search?q=job_01m8cfdxyy', `/v1/renewal/jobs/${JOB}`]);
    },
  );

  it('a whole id costs no search', async () => {
    const at = world(JOB);
    await runCli(['jobs', 'show', JOB], at.deps);
    expect(paths(at)).toEqual([`/v1/renewal/jobs/${JOB}`]);
  });

  it('of several objects none is taken, and all are listed', async () => {
    const at = world(JOB, OTHER);
    expect(await runCli(['jobs', 'cancel', '01m8cfdxy'], at.deps)).toBe(2);
    expect(at.stderr()).toContain(`job_01m8cfdxy begins more than one id; type more of it:\n  ${JOB}\n  ${OTHER}`);
    expect(paths(at)).toEqual(['/v1/search?q=job_01m8cfdxy']);
  });

  it('without such an object the command ends', async () => {
    const at = world();
    expect(await runCli(['jobs', 'cancel', '01m8cfdxy'], at.deps)).toBe(1);
    expect(at.stderr()).toContain('there is no job whose id begins with job_01m8cfdxy');
  });

  it('what the search does not know is looked for in its list', async () => {
    const at = world();
    expect(await runCli(['tokens', 'revoke', 'tok_01m8cfd'], at.deps)).toBe(0);
    expect(paths(at)).toEqual(['/v1/tokens?limit=200', `/v1/tokens/${TOKEN}`]);
  });

  it.each(['', ' '])('the empty id %j is refused before the edge is asked', async (typed) => {
    const at = world(JOB);
    expect(await runCli(['jobs', 'show', typed], at.deps)).toBe(2);
    expect(at.stderr()).toContain('<job>: it is empty; give the id of one job');
    expect(at.calls).toEqual([]);
  });

  it('an id of another kind is no beginning', async () => {
    const at = world(JOB);
    await runCli(['jobs', 'show', 'task_01m8cfdxyy'], at.deps);
    expect(paths(at)).toEqual(['/v1/renewal/jobs/task_01m8cfdxyy']);
  });
});
