import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { printedCommand } from '../../../../local-agent/lib/printed-command.ts';

describe('a printed command', () => {
  it.each(['conductor', 'start'])('runs through npm when the person uses npm (%s)', (npm_lifecycle_event) => {
    expect(printedCommand({ npm_lifecycle_event }, 'pair')).toBe('npm run conductor -- pair');
  });

  it.each([undefined, 'npx', 'test'])('names the linked program otherwise (%s)', (npm_lifecycle_event) => {
    expect(printedCommand({ npm_lifecycle_event }, 'pair')).toBe('conductor pair');
  });

  it.each(['/srv/baa', '~x/b', "/srv/it's a $HOME"])('keeps the root as one word of a shell (%s)', (root) => {
    const line = printedCommand({}, 'pair', root);
    const program = 'conductor() { printf "%s\\n" "$@"; }';
    const words = execFileSync('sh', ['-c', `${program}; ${line}`], { encoding: 'utf8' });
    expect(words).toBe(`pair\n--root\n${root}\n`);
  });
});
