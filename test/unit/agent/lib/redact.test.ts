import { describe, expect, it } from 'vitest';
import { redactor } from '../../../../local-agent/lib/redact.ts';
import { PolicySchema } from '../../../../schema/contracts/policy.ts';
import { TOKEN_PREFIX } from '../../../../schema/contracts/tokens.ts';

const policy = PolicySchema.parse({ redact: { env: ['*_KEY'], files: ['~/.netrc'] } });
const env = { API_KEY: 'key-123456', OTHER: 'visible-1', SHORT_KEY: 'true', BAA_SHARED_TOKEN: 'shared-token-1' };
const files: Record<string, string> = { '~/.netrc': 'machine example.org login me password s3cret-word\n' };

describe('redaction', () => {
  const redact = redactor(policy, { env, readFile: (path) => files[path] ?? null });

  it('values of the variables that the policy names are replaced', () => {
    expect(redact('key-123456 and "key-123456", visible-1')).toBe('[redacted] and "[redacted]", visible-1');
  });

  it('a pattern of many stars is compared with long names of variables in bounded time', () => {
    const hostile = PolicySchema.parse({ redact: { env: [`${'*A'.repeat(200)}*_B`, '*_KEY'] } });
    const long = { ['A'.repeat(10_000)]: 'visible-2', API_KEY: 'key-123456' };
    expect(redactor(hostile, { env: long, readFile: () => null })('visible-2 key-123456')).toBe('visible-2 [redacted]');
  });

  it('words of the files that the policy names are replaced', () => {
    expect(redact('password is s3cret-word')).toBe('[redacted] is [redacted]');
  });

  it('tokens of the system in variables are replaced, with and without a policy', () => {
    expect(redact('shared-token-1')).toBe('[redacted]');
    expect(redactor(null, { env, readFile: () => null })('shared-token-1 key-123456')).toBe('[redacted] key-123456');
  });

  it('texts in the form of a token of the system are replaced, from any source', () => {
    const token = `${TOKEN_PREFIX}${'aZ09-_x'.repeat(6)}y`;
    const withoutPolicy = redactor(null, { env: {}, readFile: () => null });
    expect(withoutPolicy(`operator.token: ${token}\n${token}${token}`)).toBe(
      'operator.token: [redacted]\n[redacted][redacted]',
    );
    expect(withoutPolicy('baa_short and baa_')).toBe('baa_short and baa_');
    for (let cut = 1; cut < token.length; cut++) expect(withoutPolicy.undecided(`x ${token.slice(0, cut)}`)).toBe(cut);
    expect(withoutPolicy.undecided(token)).toBeLessThan(token.length);
  });

  it('of a secret no byte is in a part of a file, wherever the part begins and ends', () => {
    const secret = 'sécret-ключ-42';
    const redact = redactor(null, { env: { BAA_KEY: secret }, readFile: () => null });
    const file = Buffer.from(`before ${secret} after`);
    const [first, last] = [Buffer.byteLength('before '), Buffer.byteLength(`before ${secret}`)];
    expect(redact.marginBytes).toBeGreaterThanOrEqual(last - first - 1);
    for (let from = 0; from <= file.length; from++) {
      for (let to = from; to <= file.length; to++) {
        const before = file.subarray(from, Math.max(from, Math.min(to, first)));
        const after = file.subarray(Math.min(to, Math.max(from, last)), to);
        const mark = from < last && to > first && from < to ? '[redacted]' : '';
        expect(redact.part(file, from, to).toString()).toBe(`${before}${mark}${after}`);
      }
    }
  });

  it('secrets that overlap in a part of a file are replaced by one mark', () => {
    const env = { BAA_A_KEY: 'abcdefgh', BAA_B_KEY: 'efghijkl' };
    const redact = redactor(null, { env, readFile: () => null });
    expect(redact.part(Buffer.from('<abcdefghijkl>'), 0, 14).toString()).toBe('<[redacted]>');
  });

  it('short values, which are ordinary words, are not replaced', () => {
    expect(redact('it is true')).toBe('it is true');
  });

  it('of two secrets the longer is replaced first when it contains the other', () => {
    const redactTwo = redactor(policy, { env: { A_KEY: 'abcdef', B_KEY: 'abcdefghi' }, readFile: () => null });
    expect(redactTwo('abcdefghi abcdef')).toBe('[redacted] [redacted]');
  });
});
