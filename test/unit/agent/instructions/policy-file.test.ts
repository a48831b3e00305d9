import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PolicyFile } from '../../../../local-agent/policy/policy-file.ts';
import { tempFolder } from './instruction-host.ts';

let folder: string;
let path: string;
let problems: (string | null)[];
beforeEach(() => {
  folder = tempFolder();
  path = join(folder, 'policy.json');
  problems = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => new PolicyFile({ path, onProblem: (problem) => problems.push(problem) });
const save = (policy: unknown) => writeFileSync(path, typeof policy === 'string' ? policy : JSON.stringify(policy));

describe('policy.json', () => {
  it('has defaults where there never was one', () => {
    const file = open();
    expect(file.current()).toMatchObject({ mode: 'enforce', exec: { default: 'ask', shell: 'ask' } });
    save({ mode: 'shadow' });
    expect(file.current()?.mode).toBe('shadow');
  });

  it('stays in force while it is gone, as while an editor puts another in its place', () => {
    save({ mode: 'shadow' });
    const file = open();
    rmSync(path);
    expect(file.current()?.mode).toBe('shadow');
    expect(problems).toEqual([expect.stringContaining('gone')]);
    save({ mode: 'enforce' });
    expect(file.current()?.mode).toBe('enforce');
    expect(file.problem()).toBeNull();
  });

  it('permits nothing when it is a link to nothing', () => {
    symlinkSync(join(folder, 'elsewhere.json'), path);
    expect(open().current()).toBeNull();
  });

  it('is in force as soon as it is saved', () => {
    const file = open();
    for (const decision of ['allow', 'deny', 'ask']) {
      save({ exec: { default: decision } });
      expect(file.current()?.exec.default).toBe(decision);
    }
  });

  it.each([
    ['no JSON', '{', /JSON/],
    ['an unknown field', { exce: {} }, /exce/],
    ['a wrong decision', { exec: { default: 'maybe' } }, /exec\.default/],
    ['a glob that cannot be used', { tools: { '': 'deny' } }, /pattern/],
  ])('broken by %s, is reported once and leaves the one before in force', (_what, broken, says) => {
    save({ exec: { default: 'deny' } });
    const file = open();
    save(broken);
    expect(file.current()?.exec.default).toBe('deny');
    expect(file.current()?.exec.default).toBe('deny');
    expect(problems).toEqual([expect.stringMatching(says)]);
    save({ exec: { default: 'allow' } });
    expect(file.current()?.exec.default).toBe('allow');
    expect(problems.at(-1)).toBeNull();
    expect(file.problem()).toBeNull();
  });

  it('broken from the start, permits nothing', () => {
    save('{');
    expect(open().current()).toBeNull();
  });

  it('is no folder', () => {
    mkdirSync(path);
    expect(open().current()).toBeNull();
    expect(problems).toHaveLength(1);
  });

  it('is reported when it is saved broken, without being asked for', async () => {
    const reported = Promise.withResolvers<string | null>();
    const file = new PolicyFile({ path, onProblem: reported.resolve });
    const watching = new AbortController();
    file.watch(watching.signal);
    save('{');
    expect(await reported.promise).toContain('JSON');
    watching.abort();
  });
});
