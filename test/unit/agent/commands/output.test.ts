import { describe, expect, it } from 'vitest';
import { printFields, printTable } from '../../../../local-agent/commands/output.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const HOSTILE = 'a title\u001b]0;owned\u0007\u001b[2J\u202e';

describe('text from pages and chats on a terminal', () => {
  it('an escape sequence in a table is made visible', () => {
    const { deps, out } = commandWorld(() => null);
    printTable(deps, ['title'], [[HOSTILE]], 'none');
    expect(out.join('\n')).toContain('a title\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{202e}');
  });

  it('an escape sequence in a field is made visible', () => {
    const { deps, out } = commandWorld(() => null);
    printFields(deps, { title: HOSTILE });
    expect(out).toEqual(['title  a title\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{202e}']);
  });
});
