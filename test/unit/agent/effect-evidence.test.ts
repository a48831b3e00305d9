import { createHash } from 'node:crypto';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findEvidence } from '../../../local-agent/effect-evidence.ts';
import { openRoots } from '../../../local-agent/host/roots.ts';
import { GIT_ENV, newRepo, runGit } from '../../support/git-repo.ts';
import { tempDir } from '../../support/temp-dir.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

function look(folder: string, tool: string, params: Record<string, unknown>, started_at = Date.now() + 60_000) {
  const host = { roots: openRoots([folder], []), env: GIT_ENV, now: started_at };
  return findEvidence({ target: 'conductor', tool, params, started_at, created_at: started_at }, host);
}

describe('what a host shows of an interrupted files/write', () => {
  const params = { path: 'a.txt', content: 'new text' };

  it('is that it was done when the file has exactly its content, by hash', async () => {
    const folder = tempDir();
    writeFileSync(join(folder, 'a.txt'), 'new text');
    const { verdict, found } = await look(folder, 'files/write', params);
    expect(verdict).toBe('done');
    expect(found.filter((line) => line.includes(hash('new text')))).toHaveLength(2);
    const encoded = { ...params, content: Buffer.from('new text').toString('base64'), encoding: 'base64' };
    expect((await look(folder, 'files/write', encoded)).verdict).toBe('done');
  });

  it('is that it was not done when the file does not exist, or has not changed since the start', async () => {
    const folder = tempDir();
    expect((await look(folder, 'files/write', params)).verdict).toBe('not_done');
    writeFileSync(join(folder, 'a.txt'), 'old text');
    const { verdict, found } = await look(folder, 'files/write', params);
    expect(verdict).toBe('not_done');
    expect(found.join('\n')).toContain(hash('old text'));
  });

  it('decides nothing when another content has come since the start, or the text was to be appended', async () => {
    const folder = tempDir();
    const file = join(folder, 'a.txt');
    writeFileSync(file, 'another text');
    // A program can set this time back, and the host does not go by it.
    utimesSync(file, 1, 1);
    expect((await look(folder, 'files/write', params, Date.now() - 60_000)).verdict).toBe('unknown');
    writeFileSync(file, 'before new text');
    const appended = await look(folder, 'files/write', { ...params, append: true });
    expect(appended).toMatchObject({
      verdict: 'unknown',
      found: expect.arrayContaining(['the file ends with these bytes']),
    });
  });

  it('is refused outside the roots', async () => {
    const folder = tempDir();
    const outside = await look(folder, 'files/write', { ...params, path: '/etc/passwd' });
    expect(outside).toMatchObject({
      verdict: 'unknown',
      found: [expect.stringContaining('outside the configured roots')],
    });
  });
});

describe('what a host shows of an interrupted exec', () => {
  const params = { argv: ['make'] };

  it('is what Git says of its folder since the start', async () => {
    const folder = newRepo();
    writeFileSync(join(folder, 'made.txt'), 'x');
    const { verdict, found } = await look(folder, 'exec', params, Date.now() - 60_000);
    expect(verdict).toBe('unknown');
    expect(found.some((line) => line.endsWith(' begin'))).toBe(true);
    expect(found).toContain('  ?? made.txt');
    const later = await look(folder, 'exec', params);
    expect(later.found[0]).toMatch(/^commits since .*: none$/);
    expect(runGit(folder, 'status', '--short')).toBe('?? made.txt');
  });

  it('is nothing where no repository is, and of another tool nothing either', async () => {
    const folder = tempDir();
    mkdirSync(join(folder, 'plain'));
    const plain = await look(folder, 'exec', { ...params, cwd: 'plain' });
    expect(plain).toMatchObject({ verdict: 'unknown', found: [expect.stringContaining('in no Git repository')] });
    const listed = await look(folder, 'files/list', { pattern: '*' });
    expect(listed).toMatchObject({ verdict: 'unknown', found: [expect.stringContaining('files/list')] });
  });
});
