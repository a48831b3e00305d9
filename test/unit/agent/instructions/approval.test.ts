import { closeSync, mkdirSync, openSync, rmSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import { makeVisible } from '../../../../local-agent/lib/visible.ts';
import { approvalOf } from '../../../../local-agent/policy/approval.ts';
import type { ToolName } from '../../../../schema/contracts/tools.ts';
import { tempFolder } from './instruction-host.ts';

let root: string;
beforeEach(() => {
  root = tempFolder();
  mkdirSync(join(root, 'in'));
  writeFileSync(join(root, 'script.sh'), 'echo 1\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const asked = (name: ToolName, params: Record<string, unknown>) => approvalOf(name, params, openRoots([root], []));
const hashOf = (params: Record<string, unknown>) => asked('conductor::exec', params).approval_hash;

describe('what a person is shown', () => {
  it.each([
    ['a right-to-left override', '\u202e', '\\u{202e}'],
    ['an isolate', '\u2066', '\\u{2066}'],
    ['a zero-width space', '\u200b', '\\u{200b}'],
    ['a byte order mark', '\ufeff', '\\u{feff}'],
    ['a no-break space', '\u00a0', '\\u{a0}'],
    ['an escape', '\u001b[2K', '\\u{1b}[2K'],
    ['a carriage return', '\r', '\\u{d}'],
    ['a tag letter', '\u{e0041}', '\\u{e0041}'],
    ['a variation selector', '\ufe0f', '\\u{fe0f}'],
    ['a Hangul filler', '\u3164', '\\u{3164}'],
    ['an empty braille cell', '\u2800', '\\u{2800}'],
  ])('makes %s visible', (_what, hidden, shown) => {
    expect(asked('conductor::exec', { command: `rm${hidden}x` }).display).toContain(`rm${shown}x`);
  });

  it('leaves plain text, tabs and line breaks as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '中', '😀', '\t', '\n', ' ', '{', '\\') }), (text) => {
        expect(makeVisible(text)).toBe(text);
      }),
    );
  });

  it('holds the whole call: variables with their values, input, the patch itself', () => {
    const { display, env_names } = asked('conductor::exec', { argv: ['x'], env: { PAGER: 'evil' }, stdin: 'y\n' });
    expect(display).toBe('argv: ["x"]\nenv PAGER="evil"\nstdin:\ny\n');
    expect(env_names).toEqual(['PAGER']);
    const patch = '--- a/script.sh\n+++ b/script.sh\n@@ -1 +1 @@\n-echo 1\n+echo 2\n';
    const patched = asked('conductor::files/patch', { patch });
    expect(patched.display).toBe(patch);
    expect(Object.keys(patched.file_hashes)).toEqual([join(root, 'script.sh')]);
  });
});

describe('the hash of what is approved', () => {
  it('is the same for the same call and files', () => {
    expect(hashOf({ argv: ['sh', 'script.sh'] })).toBe(hashOf({ argv: ['sh', 'script.sh'] }));
  });

  it('changes with each byte of the call, its folder, its variables, and a file it names', () => {
    const plain = { argv: ['sh', 'script.sh'] };
    const before = hashOf(plain);
    const others = [
      hashOf({ argv: ['sh', 'script.sh', ''] }),
      hashOf({ argv: ['sh', 'script.sh\u200b'] }),
      hashOf({ ...plain, cwd: 'in' }),
      hashOf({ ...plain, env: { A: '1' } }),
      hashOf({ ...plain, env: { A: '2' } }),
      hashOf({ ...plain, stdin: 'x' }),
    ];
    writeFileSync(join(root, 'script.sh'), 'echo 2\n');
    expect(new Set([before, ...others, hashOf(plain)]).size).toBe(others.length + 2);
  });

  it('covers a file that is named within an option', () => {
    const params = { argv: ['make', '--file=script.sh'] };
    const before = hashOf(params);
    writeFileSync(join(root, 'script.sh'), 'echo 2\n');
    expect(hashOf(params)).not.toBe(before);
  });

  it('changes with any byte of a file that is too large to be read whole', () => {
    const params = { argv: ['sh', 'large.sh'] };
    const file = join(root, 'large.sh');
    writeFileSync(file, Buffer.alloc(8 * 1024 * 1024 + 1, ' '));
    const before = hashOf(params);
    expect(hashOf(params)).toBe(before);
    const fd = openSync(file, 'r+');
    writeSync(fd, '#', 8 * 1024 * 1024);
    closeSync(fd);
    utimesSync(file, 0, 0);
    expect(hashOf(params)).not.toBe(before);
  });

  it('changes when a file that it names appears', () => {
    const params = { argv: ['cat', 'later'] };
    const before = hashOf(params);
    writeFileSync(join(root, 'later'), '');
    expect(hashOf(params)).not.toBe(before);
  });
});
