import { sep } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileError, openRoots } from '../../../../local-agent/host/roots.ts';

const roots = openRoots(['/nowhere/work'], ['/nowhere/work/state']);

function verdict(path: string): string {
  try {
    roots.admit(path);
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
  return 'admitted';
}

describe('the roots of the tools', () => {
  it.each(['/nowhere/work', '/nowhere/work/a', '/nowhere/work/a/b'])('%s inside a root is admitted', (path) => {
    expect(verdict(path)).toBe('admitted');
  });

  it.each(['/nowhere/work-evil', '/nowhere/work-evil/a', '/nowhere/workshop', '/nowhere', '/'])(
    '%s is outside a root whose name it only shares or contains',
    (path) => expect(verdict(path)).toBe('path_outside_roots'),
  );

  it("a path whose name only begins like one of the agent's own is not protected", () => {
    expect(verdict('/nowhere/work/state/agent.sqlite')).toBe('path_protected');
    expect(verdict('/nowhere/work/state-of-things')).toBe('admitted');
  });
});

describe('the secrets of a Worker', () => {
  it.each(['.dev.vars', 'app/.dev.vars.staging', '.DEV.VARS'])('%s is protected', (path) => {
    expect(verdict(`/nowhere/work/${path}`)).toBe('path_protected');
  });

  it.each(['dev.vars', '.dev-vars', '.devvars'])('%s, which only has a similar name, is admitted', (path) => {
    expect(verdict(`/nowhere/work/${path}`)).toBe('admitted');
  });
});

describe('the files of Git', () => {
  it.each(['.git', '.git/config', 'deep/repo/.git/hooks/pre-commit', '.GIT/config', 'module/.git'])(
    '%s is protected',
    (path) => expect(verdict(`/nowhere/work/${path}`)).toBe('path_protected'),
  );

  it.each(['.gitignore', '.github/workflows/ci.yml', 'a.git/config', 'src/git/config'])(
    '%s, which only has a similar name, is admitted',
    (path) => expect(verdict(`/nowhere/work/${path}`)).toBe('admitted'),
  );

  it('a .git folder that a person made a root is admitted', () => {
    const gitRoots = openRoots(['/nowhere/bare/.git'], []);
    expect(() => gitRoots.admit('/nowhere/bare/.git/config')).not.toThrow();
  });

  it('.git is protected at any depth of a path', () => {
    const part = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(part, { maxLength: 4 }), (before, after) => {
        expect(verdict(['/nowhere/work', ...before, '.git', ...after].join(sep))).toBe('path_protected');
      }),
    );
  });
});
