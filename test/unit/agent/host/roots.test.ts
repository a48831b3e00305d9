import { sep } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileError, openRoots } from '../../../../local-agent/host/roots.ts';

const roots = openRoots(['/nowhere/work'], []);

function refusal(path: string): string {
  try {
    roots.admit(path);
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
  return 'admitted';
}

describe('what Git keeps for itself', () => {
  it.each(['.git', '.git/config', 'deep/repo/.git/hooks/pre-commit', '.GIT/config', 'module/.git'])(
    'is out of bounds: %s',
    (path) => expect(refusal(`/nowhere/work/${path}`)).toBe('path_protected'),
  );

  it.each(['.gitignore', '.github/workflows/ci.yml', 'a.git/config', 'src/git/config'])(
    'does not take what only sounds like it: %s',
    (path) => expect(refusal(`/nowhere/work/${path}`)).toBe('admitted'),
  );

  it('is judged below the root only: a person may make such a folder a root', () => {
    const own = openRoots(['/nowhere/bare/.git'], []);
    expect(() => own.admit('/nowhere/bare/.git/config')).not.toThrow();
  });

  it('is refused wherever it stands in a path', () => {
    const part = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(part, { maxLength: 4 }), (before, after) => {
        expect(refusal(['/nowhere/work', ...before, '.git', ...after].join(sep))).toBe('path_protected');
      }),
    );
  });
});
