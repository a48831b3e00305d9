import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PolicyFile } from '../../../../local-agent/policy/policy-file.ts';
import { tempFolder } from '../host/workspace.ts';

let folder: string;
let path: string;
let problems: (string | null)[];
beforeEach(() => {
  folder = tempFolder();
  path = join(folder, 'policy.json');
  problems = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(): PolicyFile {
  return new PolicyFile({ path, onProblem: (problem) => problems.push(problem) });
}
function save(policy: unknown): void {
  writeFileSync(path, typeof policy === 'string' ? policy : JSON.stringify(policy));
}

describe('policy.json', () => {
  it('the defaults apply until the file exists', () => {
    const file = open();
    expect(file.current()).toMatchObject({ mode: 'enforce', exec: { default: 'ask', shell: 'ask' } });
    save({ mode: 'shadow' });
    expect(file.current()?.mode).toBe('shadow');
  });

  it('the policy stays in force while the file is missing, such as while an editor replaces it', () => {
    save({ mode: 'shadow' });
    const file = open();
    rmSync(path);
    expect(file.current()?.mode).toBe('shadow');
    expect(problems).toEqual([expect.stringContaining('missing')]);
    save({ mode: 'enforce' });
    expect(file.current()?.mode).toBe('enforce');
    expect(file.problem()).toBeNull();
  });

  it('a link to nothing permits nothing', () => {
    symlinkSync(join(folder, 'other.json'), path);
    expect(open().current()).toBeNull();
  });

  it('a saved policy is in force at once', () => {
    const file = open();
    for (const decision of ['allow', 'deny', 'ask']) {
      save({ exec: { default: decision } });
      expect(file.current()?.exec.default).toBe(decision);
    }
  });

  it.each([
    ['text that is not JSON', '{', /JSON/],
    ['an unknown field', { exce: {} }, /exce/],
    ['a wrong decision', { exec: { default: 'maybe' } }, /exec\.default/],
    ['an empty pattern', { tools: { '': 'deny' } }, /tools: "" is no pattern/],
    ['a pattern that excludes', { tools: { '!exec': 'deny' } }, /tools: "!exec" is no pattern/],
    ['a pattern with a group', { redact: { env: ['*_(KEY|TOKEN)'] } }, /redact\.env: .*without !, \( \) and \|/],
  ])('%s is reported once, and the policy before it stays in force', (_what, invalid, report) => {
    save({ exec: { default: 'deny' } });
    const file = open();
    save(invalid);
    expect(file.current()?.exec.default).toBe('deny');
    expect(file.current()?.exec.default).toBe('deny');
    expect(problems).toEqual([expect.stringMatching(report)]);
    save({ exec: { default: 'allow' } });
    expect(file.current()?.exec.default).toBe('allow');
    expect(problems.at(-1)).toBeNull();
    expect(file.problem()).toBeNull();
  });

  it('a problem is one line: the file, the field, what is allowed, and which rules apply until then', () => {
    save({ mode: 'shadow' });
    const file = open();
    save({ mode: 'shadwo' });
    expect(file.problem()).toBe(
      `${path}: mode: one of enforce, shadow; it is "shadwo"; the policy before it stays in force`,
    );
    save('{\n  "mode": oops\n}\n');
    expect(file.problem()).toMatch(/^[^\n]*policy\.json: it is not JSON: [^\n]*; the policy before it stays in force$/);
  });

  it('a file that is invalid from the start permits nothing, and its problem says so', () => {
    save('{');
    expect(open().current()).toBeNull();
    expect(problems).toEqual([expect.stringMatching(/; no tool runs until the file is valid$/)]);
  });

  it('a folder of that name permits nothing', () => {
    mkdirSync(path);
    expect(open().current()).toBeNull();
    expect(problems).toHaveLength(1);
  });

  it('an invalid file is reported when it is saved, before anybody reads the policy', async () => {
    const reported = Promise.withResolvers<string | null>();
    const file = new PolicyFile({ path, onProblem: reported.resolve });
    const watching = new AbortController();
    file.watch(watching.signal);
    save('{');
    expect(await reported.promise).toContain('JSON');
    watching.abort();
  });
});
