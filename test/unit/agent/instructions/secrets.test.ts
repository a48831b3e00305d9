import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Roots } from '../../../../local-agent/host/roots.ts';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import { redactor } from '../../../../local-agent/lib/redact.ts';
import { makeVisible } from '../../../../local-agent/lib/visible.ts';
import { approvalOf } from '../../../../local-agent/policy/approval.ts';
import { PolicySchema } from '../../../../schema/contracts/policy.ts';
import { TOKEN_PREFIX } from '../../../../schema/contracts/tokens.ts';
import { tempFolder } from './instruction-host.ts';

describe('redaction', () => {
  const policy = PolicySchema.parse({ redact: { env: ['*_KEY'], files: ['~/.netrc'] } });
  const env = { API_KEY: 'key-123456', OTHER: 'visible-1', SHORT_KEY: 'true', BAA_SHARED_TOKEN: 'shared-token-1' };
  const files: Record<string, string> = { '~/.netrc': 'machine example.org login me password s3cret-word\n' };
  const redact = redactor(policy, { env, readFile: (path) => files[path] ?? null });

  it('replaces the values of the variables that the policy names, wherever they stand', () => {
    expect(redact('key-123456 and "key-123456", visible-1')).toBe('[redacted] and "[redacted]", visible-1');
  });

  it('replaces the words of the files that it names', () => {
    expect(redact('password is s3cret-word')).toBe('[redacted] is [redacted]');
  });

  it('always hides the tokens of the system, with a policy and without one', () => {
    expect(redact('shared-token-1')).toBe('[redacted]');
    expect(redactor(null, { env, readFile: () => null })('shared-token-1 key-123456')).toBe('[redacted] key-123456');
  });

  it('hides what has the form of a token of the system, wherever it was read from', () => {
    const token = `${TOKEN_PREFIX}${'aZ09-_x'.repeat(6)}y`;
    const plain = redactor(null, { env: {}, readFile: () => null });
    expect(plain(`operator.token: ${token}\n${token}${token}`)).toBe(
      'operator.token: [redacted]\n[redacted][redacted]',
    );
    expect(plain('baa_short and baa_')).toBe('baa_short and baa_');
    for (let cut = 1; cut < token.length; cut++) expect(plain.undecided(`x ${token.slice(0, cut)}`)).toBe(cut);
    expect(plain.undecided(token)).toBeLessThan(token.length);
  });

  it('leaves short values alone, which are words', () => {
    expect(redact('it is true')).toBe('it is true');
  });

  it('replaces the longer of two secrets of which one holds the other', () => {
    const two = redactor(policy, { env: { A_KEY: 'abcdef', B_KEY: 'abcdefghi' }, readFile: () => null });
    expect(two('abcdefghi abcdef')).toBe('[redacted] [redacted]');
  });
});

describe('an approval', () => {
  let root: string;
  let roots: Roots;
  beforeEach(() => {
    root = tempFolder();
    roots = openRoots([root], []);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const exec = (params: Record<string, unknown>) => approvalOf('conductor::exec', params, roots);

  it('shows the exact script, with what cannot be seen made visible', () => {
    expect(exec({ command: 'echo a\u202eb\u200b\u0007\n\tend' }).display).toBe(
      'script:\necho a\\u{202e}b\\u{200b}\\u{7}\n\tend',
    );
    expect(makeVisible('a b\u00a0c\u2028')).toBe('a b\\u{a0}c\\u{2028}');
  });

  it('binds the call: another argument, folder or variable has another hash', () => {
    const hashes = [
      { argv: ['make'] },
      { argv: ['make', 'all'] },
      { argv: ['make'], cwd: 'sub' },
      { argv: ['make'], env: { CC: 'gcc' } },
      { argv: ['make'], env: { CC: 'cc' } },
      { argv: ['make'], stdin: 'y' },
    ].map((params) => exec(params).approval_hash);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(exec({ argv: ['make'] }).approval_hash).toBe(hashes[0]);
  });

  it('binds the files that are named: changed content has another hash', () => {
    mkdirSync(join(root, 'sub'));
    writeFileSync(join(root, 'sub', 'build.sh'), 'one');
    const params = { argv: ['sh', 'build.sh'], cwd: 'sub', env: { B: '1', A: '2' } };
    const before = exec(params);
    expect(before).toMatchObject({ cwd: join(root, 'sub'), env_names: ['A', 'B'] });
    expect(before.file_hashes).toEqual({
      [join(root, 'sub', 'build.sh')]: createHash('sha256').update('one').digest('hex'),
    });
    writeFileSync(join(root, 'sub', 'build.sh'), 'two');
    expect(exec(params).approval_hash).not.toBe(before.approval_hash);
  });

  it('can be made of a folder that cannot be, which the effect then refuses', () => {
    expect(exec({ argv: ['make'], cwd: 'a\0b' }).cwd).toBe('a\0b');
  });
});
