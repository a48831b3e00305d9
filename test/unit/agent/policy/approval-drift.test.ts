import { chmodSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findChange } from '../../../../local-agent/host/changed-files.ts';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import type { Effect } from '../../../../local-agent/policy/approval-drift.ts';
import { driftOf } from '../../../../local-agent/policy/approval-drift.ts';
import type { HostPolicyDeps } from '../../../../local-agent/policy/host-policy.ts';
import { HostPolicy } from '../../../../local-agent/policy/host-policy.ts';
import { until } from '../../../support/until.ts';
import { tempFolder } from '../host/workspace.ts';

let root: string;
beforeEach(() => {
  root = tempFolder();
  mkdirSync(join(root, 'in', 'deep'), { recursive: true });
  writeFileSync(join(root, 'in', 'deep', 'job.js'), '1');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const effect = (name: string, params: Record<string, unknown>): Effect => ({ instruction_id: 'ins_9', name, params });
const write = (path: string, cwd?: string) =>
  effect('conductor::files/write', { path, content: '', ...(cwd && { cwd }) });
const EXEC = effect('conductor::exec', { argv: ['true'] });
const drift = (effects: Effect[], found: 'nothing' | 'changed' = 'nothing') =>
  driftOf(effects, openRoots([root], []), async (path) => (found === 'changed' ? { found, path } : { found }));

describe('an approval of a program is void when meanwhile', () => {
  it.each([
    ['a file was written', () => write('in/deep/job.js')],
    ['a file was written from another folder', () => write('../in/Makefile', 'other')],
    [
      'a patch changed a file',
      () => effect('conductor::files/patch', { patch: '--- a/in/x\n+++ b/in/x\n@@ -1 +1 @@\n-a\n+b\n' }),
    ],
  ])('%s', async (_what, make) => {
    expect(await drift([make()])).toMatch(/^conductor::files\/\w+ \(ins_9\) has changed .*\/in\//);
  });

  it('a program ran and something in a root has changed', async () => {
    expect(await drift([EXEC], 'changed')).toMatch(/a program ran meanwhile \(ins_9\) and .* has changed/);
  });

  it('a program ran and something in another root has changed', async () => {
    const roots = openRoots([join(root, 'in'), root], []);
    const look = async (path: string) =>
      path === root ? ({ found: 'changed', path } as const) : ({ found: 'nothing' } as const);
    expect(await driftOf([EXEC], roots, look)).toContain(`${root} has changed`);
  });

  it('a file tool ran whose files cannot be named', async () => {
    expect(await drift([effect('conductor::files/patch', { patch: 'no patch' })])).toContain(
      '(ins_9) has changed files',
    );
  });

  it('a program ran and what it changed cannot be known', async () => {
    const look = () => Promise.resolve({ found: 'unknown', why: 'too many' } as const);
    expect(await driftOf([EXEC], openRoots([root], []), look)).toContain('not known: too many');
  });

  it('a file was written below a folder whose name is shown with marks', async () => {
    const cwd = '\u0440\u0430y\nroll';
    mkdirSync(join(root, cwd));
    const host = new HostPolicy({
      policyFile: { current: () => ({ roots: [root], redact: [], rules: [] }) },
      workspace: root,
      protectedPaths: [],
      env: {},
    } as unknown as HostPolicyDeps);
    const call = { name: 'conductor::exec', params: { argv: ['true'], cwd } } as const;
    const reason = await host.drift(call as never, [write(`${cwd}/Makefile`)], Date.now() + 1_000);
    expect(reason).toContain('conductor::files/write (ins_9) has changed');
  });
});

describe('an approval of a program stays valid when meanwhile', () => {
  it('nothing ran, when anything else has changed', async () => {
    expect(await drift([], 'changed')).toBeNull();
  });

  it('files were read, listed and searched', async () => {
    const reads = ['read', 'list', 'search'].map((verb) =>
      effect(`conductor::files/${verb}`, { path: 'in/deep/job.js' }),
    );
    expect(await drift(reads, 'changed')).toBeNull();
  });

  it('a program ran and changed nothing', async () => {
    expect(await drift([EXEC])).toBeNull();
  });
});

describe('the search for a change below a folder', () => {
  const since = () => Date.now() + 1_000;

  it('finds nothing in what was there before', async () => {
    expect(await findChange(root, since())).toEqual({ found: 'nothing' });
  });

  it.each([
    ['new content', (file: string) => writeFileSync(file, '2')],
    [
      'new content with an old time',
      (file: string) => {
        writeFileSync(file, '2');
        utimesSync(file, 0, 0);
      },
    ],
    ['other permissions', (file: string) => chmodSync(file, 0o755)],
    ['a removed file', (file: string) => rmSync(file)],
    ['a renamed file', (file: string) => renameSync(file, `${file}2`)],
    ['a new file', (file: string) => writeFileSync(`${file}2`, '')],
  ])('finds %s', async (_what, change) => {
    const at = Date.now() + 40;
    await until(() => Date.now() > at);
    expect(await findChange(root, at)).toEqual({ found: 'nothing' });
    change(join(root, 'in', 'deep', 'job.js'));
    expect((await findChange(root, at)).found).toBe('changed');
  });

  it('says that it does not know when there is too much to look at', async () => {
    expect(await findChange(root, since(), 2)).toMatchObject({ found: 'unknown' });
  });

  it('takes a folder that is gone for changed', async () => {
    expect((await findChange(join(root, 'gone'), since())).found).toBe('changed');
  });
});
