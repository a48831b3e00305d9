import { closeSync, linkSync, mkdirSync, openSync, rmSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import { sha256Hex } from '../../../../local-agent/lib/hash.ts';
import { approvalOf } from '../../../../local-agent/policy/approval.ts';
import type { ToolName } from '../../../../schema/contracts/tools.ts';
import { boundText, neutralApproval } from '../../../../schema/domain/approval.ts';
import { makeExact, makeVisible } from '../../../../schema/domain/visible.ts';
import { tempFolder } from '../host/workspace.ts';

let root: string;
beforeEach(() => {
  root = tempFolder();
  mkdirSync(join(root, 'in'));
  writeFileSync(join(root, 'script.sh'), 'echo 1\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function approval(name: ToolName, params: Record<string, unknown>, roots: string[] = [root]) {
  return approvalOf(name, params, openRoots(roots, []));
}
function hashOfExec(params: Record<string, unknown>, roots?: string[]): string {
  return approval('conductor::exec', params, roots).approval_hash;
}

describe('the text that a person approves', () => {
  it.each([
    ['a right-to-left override', '\u202e', '\\u{202e}'],
    ['an isolate', '\u2066', '\\u{2066}'],
    ['a zero-width space', '\u200b', '\\u{200b}'],
    ['a byte order mark', '\ufeff', '\\u{feff}'],
    ['a no-break space', '\u00a0', '\\u{a0}'],
    ['a line separator', '\u2028', '\\u{2028}'],
    ['an escape', '\u001b[2K', '\\u{1b}[2K'],
    ['a bell', '\u0007', '\\u{7}'],
    ['a carriage return', '\r', '\\u{d}'],
    ['a tag letter', '\u{e0041}', '\\u{e0041}'],
    ['a variation selector', '\ufe0f', '\\u{fe0f}'],
    ['a Hangul filler', '\u3164', '\\u{3164}'],
    ['an empty braille cell', '\u2800', '\\u{2800}'],
  ])('%s is made visible', (_what, hidden, visible) => {
    expect(approval('conductor::exec', { command: `rm${hidden}x` }).display).toContain(`rm${visible}x`);
  });

  it('plain text, tabs and line breaks are shown unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '中', '😀', '\t', '\n', ' ', '{', '\\') }), (text) => {
        expect(makeVisible(text)).toBe(text);
      }),
    );
  });

  it('a script, the values of variables, the input and a patch are shown whole', () => {
    const { display: script } = approval('conductor::exec', { command: 'make\n\tall' });
    expect(script.split('\n\nThis approval binds ')[0]).toBe('script:\nmake\n\tall');
    const params = { argv: ['x'], env: { PAGER: 'evil' }, stdin: 'y\n' };
    const { display, env_names } = approval('conductor::exec', params);
    expect(display.split('\n\nThis approval binds ')[0]).toBe('argv: ["x"]\nenv PAGER="evil"\nstdin:\ny\n');
    expect(env_names).toEqual(['PAGER']);
    const patch = '--- a/script.sh\n+++ b/script.sh\n@@ -1 +1 @@\n-echo 1\n+echo 2\n';
    const patched = approval('conductor::files/patch', { patch });
    expect(patched.display).toBe(patch);
    expect(Object.keys(patched.file_hashes)).toEqual([join(root, 'script.sh')]);
  });

  it('an invalid folder is shown as it was written, made visible, for the effect to refuse', () => {
    expect(approval('conductor::exec', { argv: ['make'], cwd: 'a\0b' }).cwd).toBe('a\\u{0}b');
  });

  it('every parameter of a write is shown, above the content', () => {
    const write = { path: 'a', content: 'x\noverwrite: false', overwrite: true, create_parents: false };
    expect(approval('conductor::files/write', write).display).toBe(
      'path: a\noverwrite: true\ncreate_parents: false\ncontent (utf8):\nx\noverwrite: false',
    );
    expect(approval('conductor::files/write', { path: 'a', content: '', append: true }).display).toContain(
      '\nappend: true\n',
    );
  });

  it('a line break in the path of a write forges no parameter', () => {
    const { display } = approval('conductor::files/write', {
      path: 'a\noverwrite: false',
      content: '',
      overwrite: true,
    });
    expect(display.split('\n').slice(0, 2)).toEqual(['path: a\\u{a}overwrite: false', 'overwrite: true']);
  });

  it('the time limit of a program is shown, above a script of any text', () => {
    const { display } = approval('conductor::exec', { command: 'make\ntimeout_ms: 1', timeout_ms: 5000 });
    expect(display.split('\n').slice(0, 3)).toEqual(['timeout_ms: 5000', 'script:', 'make']);
  });
});

describe('the folder, the variables and the files beside the text that a person approves', () => {
  it.each([
    ['a line break', 'p\nenv_names      []', 'p\\u{a}env_names      []'],
    ['a tab', 'p\tq', 'p\\u{9}q'],
    ['Cyrillic look-alikes', '\u0440\u0430yroll', '\\u{440}\\u{430}yroll'],
  ])('%s in a folder and in the path of a file is marked, and the hash binds the raw values', (_what, raw, shown) => {
    mkdirSync(join(root, raw));
    writeFileSync(join(root, raw, 'run.sh'), 'one');
    const params = { argv: ['sh', 'run.sh'], cwd: raw };
    const { approval_hash, cwd, file_hashes, display } = approval('conductor::exec', params);
    expect({ cwd, file_hashes }).toEqual({
      cwd: join(root, shown),
      file_hashes: { [join(root, shown, 'run.sh')]: sha256Hex('one') },
    });
    expect(display).toContain(`and these files: ${join(root, shown, 'run.sh')}.\n`);
    const bound = {
      name: 'conductor::exec' as const,
      params,
      cwd: join(root, raw),
      file_hashes: { 'run.sh': `${join(root, raw, 'run.sh')} ${sha256Hex('one')}` },
    };
    expect(approval_hash).toBe(sha256Hex(boundText(bound)));
  });

  it.each([
    ['a line break', 'A\napproval_hash  forged', 'A\\u{a}approval_hash  forged'],
    ['Cyrillic look-alikes', '\u0440\u0430yroll', '\\u{440}\\u{430}yroll'],
  ])('%s in what a node sends is marked by the edge', (_what, raw, shown) => {
    const sent = { display: 'x', approval_hash: '', cwd: raw, env_names: [raw], file_hashes: { [raw]: raw } };
    const neutral = { ...sent, cwd: shown, env_names: [shown], file_hashes: { [shown]: shown } };
    expect(neutralApproval(sent)).toEqual(neutral);
    expect(neutralApproval(neutral)).toEqual(neutral);
  });

  it('two paths that are shown alike keep both hashes', () => {
    const sent = { display: 'x', approval_hash: '', cwd: null, env_names: [] };
    const { file_hashes } = neutralApproval({ ...sent, file_hashes: { 'a\nb': '1', 'a\\u{a}b': '2' } });
    expect(file_hashes).toEqual({ 'a\\u{a}b': '1, 2' });
  });
});

describe('what an approval of a program says that it binds', () => {
  const notesOf = (params: Record<string, unknown>) =>
    approval('conductor::exec', params).display.split('\n\n').at(-1) ?? '';

  it('names the files of the call, and that the program may open others', () => {
    const notes = notesOf({ argv: ['sh', 'script.sh'] });
    expect(notes).toContain(`the working folder and these files: ${join(root, 'script.sh')}.`);
    expect(notes).toContain('does not bind files that the program itself opens');
    expect(notesOf({ command: 'make' })).toContain('the working folder and no file.');
  });

  it('names a file that is not bound, with the reason: more names, no permission, a folder, outside of the roots', () => {
    linkSync(join(root, 'script.sh'), join(root, 'other.sh'));
    writeFileSync(join(root, 'outside.sh'), '');
    const argv = ['sh', '../script.sh', '../in', '../outside.sh'];
    const { display, file_hashes } = approval('conductor::exec', { argv }, [join(root, 'in')]);
    expect(Object.keys(file_hashes)).toEqual([]);
    expect(display).toContain(`Not bound: ${join(root, 'outside.sh')} lies outside the configured roots`);
    expect(notesOf({ argv: ['sh', 'script.sh'] })).toMatch(/Not bound: \S+script\.sh has other names/);
    expect(notesOf({ argv: ['ls', 'in'] })).toContain(`Not bound: ${join(root, 'in')}: not a regular file.`);
  });

  it('binds the first 256 named files, and names the rest as not bound', () => {
    const argv = Array.from({ length: 260 }, (_none, n) => `f${n}`);
    for (const name of argv) writeFileSync(join(root, name), name);
    const { display, file_hashes } = approval('conductor::exec', { argv });
    expect(Object.keys(file_hashes)).toHaveLength(256);
    expect(display).toMatch(/these files: .*\/f0, .*\/f9 and 246 more, listed with their hashes\.$/m);
    expect(display).toContain('It does not bind files that the program itself opens.');
    expect(display).toContain('Not bound: f256, as it is not among the first 256 named files.');
  });

  it('does not name an option, or a file that is still to be written', () => {
    expect(notesOf({ argv: ['touch', '--no-create', 'later'] })).not.toContain('Not bound');
  });
});

describe('what would look like something else', () => {
  it.each([
    ['a Cyrillic letter in a Latin word', 'c\u0430t', 'c\\u{430}t'],
    ['a Greek letter in a Latin word', 'r\u03bf\u03bft', 'r\\u{3bf}\\u{3bf}t'],
    ['a word of Cyrillic letters that look Latin', 'rm \u0430\u0441\u0435', 'rm \\u{430}\\u{441}\\u{435}'],
    ['a full-width letter', '\uff52m', '\\u{ff52}m'],
    ['a mathematical letter', '\u{1d42b}m', '\\u{1d42b}m'],
    ['a slash of another kind', 'a\u2215b', 'a\\u{2215}b'],
    ['a hyphen of another kind', '\u2010rf', '\\u{2010}rf'],
    ['a mark over a letter', 'a\u0336b', 'a\\u{336}b'],
    ['a run of blanks', `a${' '.repeat(200)}b`, 'a\\u{20}×200b'],
    ['a run of blank lines', `a${'\n'.repeat(60)}b`, 'a\n\\u{a}×59\nb'],
  ])('%s is marked', (_what, text, shown) => {
    expect(makeExact(text)).toBe(shown);
    expect(approval('conductor::exec', { command: text }).display).toContain(shown);
    expect(makeExact(shown)).toBe(shown);
  });

  it.each([
    ['Russian', 'Удалить старые файлы: а, о и с'],
    ['Greek', 'Διαγραφή αρχείων'],
    ['accents', 'naïve café, Größe, Đường'],
    ['indented code', `${' '.repeat(40)}return 1;\n\n\n`],
    ['Chinese, Arabic and Hindi', '删除 حذف الملفات हिन्दी'],
    ['emoji and dashes', 'ok 🎉 — “done” …'],
  ])('text in %s is shown as it is', (_what, text) => {
    expect(makeExact(text)).toBe(text);
  });
});

describe('the hash of an approval', () => {
  it('the same call with the same files has the same hash', () => {
    expect(hashOfExec({ argv: ['sh', 'script.sh'] })).toBe(hashOfExec({ argv: ['sh', 'script.sh'] }));
  });

  it('another argument, folder, variable, input or content of a named file gives another hash', () => {
    const call = { argv: ['sh', 'script.sh'] };
    const hashes = [
      hashOfExec(call),
      hashOfExec({ argv: ['sh', 'script.sh', ''] }),
      hashOfExec({ argv: ['sh', 'script.sh\u200b'] }),
      hashOfExec({ ...call, cwd: 'in' }),
      hashOfExec({ ...call, env: { A: '1' } }),
      hashOfExec({ ...call, env: { A: '2' } }),
      hashOfExec({ ...call, stdin: 'x' }),
    ];
    writeFileSync(join(root, 'script.sh'), 'echo 2\n');
    expect(new Set([...hashes, hashOfExec(call)]).size).toBe(hashes.length + 1);
  });

  it('the same call in another folder has another hash, such as after the first root was changed', () => {
    const inRoot = hashOfExec({ argv: ['make'], cwd: '.' }, [root]);
    expect(hashOfExec({ argv: ['make'], cwd: '.' }, [join(root, 'in'), root])).not.toBe(inRoot);
    expect(hashOfExec({ argv: ['make'] }, [root])).not.toBe(hashOfExec({ argv: ['make'] }, [join(root, 'in'), root]));
  });

  it('the named files are listed with their hashes, relative paths from the folder of the call', () => {
    writeFileSync(join(root, 'in', 'build.sh'), 'one');
    const params = { argv: ['sh', 'build.sh'], cwd: 'in', env: { B: '1', A: '2' } };
    expect(approval('conductor::exec', params)).toMatchObject({
      cwd: join(root, 'in'),
      env_names: ['A', 'B'],
      file_hashes: { [join(root, 'in', 'build.sh')]: sha256Hex('one') },
    });
  });

  it('a file that is named within an option is covered', () => {
    const params = { argv: ['make', '--file=script.sh'] };
    const before = hashOfExec(params);
    writeFileSync(join(root, 'script.sh'), 'echo 2\n');
    expect(hashOfExec(params)).not.toBe(before);
  });

  it('files that are large together are read in part, and any change of one gives another hash', () => {
    const files = ['1', '2', '3', '4'].map((name) => join(root, name));
    for (const file of files) writeFileSync(file, Buffer.alloc(6 * 1024 * 1024, ' '));
    const params = { argv: ['cat', '1', '2', '3', '4'] };
    const before = approval('conductor::exec', params);
    expect(Object.values(before.file_hashes).filter((hash) => hash.includes('of the first'))).toHaveLength(2);
    const fd = openSync(join(root, '4'), 'r+');
    writeSync(fd, '#', 0);
    closeSync(fd);
    expect(hashOfExec(params)).not.toBe(before.approval_hash);
  });

  it('any change of a file that is too large to be read whole gives another hash', () => {
    const params = { argv: ['sh', 'large.sh'] };
    const file = join(root, 'large.sh');
    writeFileSync(file, Buffer.alloc(8 * 1024 * 1024 + 1, ' '));
    const before = hashOfExec(params);
    expect(hashOfExec(params)).toBe(before);
    const fd = openSync(file, 'r+');
    writeSync(fd, '#', 8 * 1024 * 1024);
    closeSync(fd);
    utimesSync(file, 0, 0);
    expect(hashOfExec(params)).not.toBe(before);
  });

  it('a named file that appears gives another hash', () => {
    const params = { argv: ['cat', 'later'] };
    const before = hashOfExec(params);
    writeFileSync(join(root, 'later'), '');
    expect(hashOfExec(params)).not.toBe(before);
  });
});
