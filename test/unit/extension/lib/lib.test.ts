import { describe, expect, it } from 'vitest';
import { baaBlocks } from '../../../../extension/lib/baa-blocks.ts';
import { backoffMs } from '../../../../extension/lib/backoff.ts';
import { matcher } from '../../../../extension/lib/match-pattern.ts';
import { Serial } from '../../../../extension/lib/serial.ts';
import { SettingsSchema } from '../../../../extension/lib/settings.ts';
import { Stored } from '../../../../extension/lib/storage.ts';
import { textKey } from '../../../../extension/lib/text-key.ts';
import { TestStorage } from '../../../support/extension/test-env.ts';

describe('match patterns', () => {
  const matches = matcher(['https://chat.example/api/*', 'https://*.wild.example/*']);
  it.each([
    ['https://chat.example/api/x?y=1', true],
    ['https://chat.example:8443/api/', true],
    ['https://a.wild.example/', true],
    ['https://wild.example/x', true],
    ['http://chat.example/api/x', false],
    ['https://chat.example/other', false],
    ['https://chat.example.evil.example/api/x', false],
    ['https://evilwild.example/', false],
    ['not an address', false],
    [undefined, false],
  ])('decide about %s', (url, expected) => {
    expect(matches(url)).toBe(expected);
  });

  it('are refused when they are none', () => {
    expect(() => matcher(['chat.example/*'])).toThrow('chat.example/* is no match pattern');
  });
});

describe('the blocks of a text', () => {
  it.each([
    ['a closed fence', '```baa\na\nb\n```', ['a\nb']],
    ['tildes and a longer closing fence', '~~~ baa \na\n~~~~~', ['a']],
    ['a fence inside a longer fence', '````md\n```baa\na\n```\n````', []],
    ['a shorter fence inside a block', '````baa\n```\n````', ['```']],
    ['another language', '```baa2\na\n```', []],
    ['a fence that is not closed', '```baa\na', []],
    ['an indented fence', '    ```baa\na\n    ```', []],
    ['two blocks and CRLF', '```baa\r\na\r\n```\r\n```baa\r\nb\r\n```', ['a', 'b']],
    ['an empty block', '```baa\n```', ['']],
  ])('are found in %s', (_what, text, blocks) => {
    expect(baaBlocks(text)).toEqual(blocks);
  });
});

it('waits double up to the maximum, less up to a quarter at random', () => {
  const limits = { firstMs: 500, maxMs: 15_000 };
  expect([0, 1, 2, 4, 5, 60].map((attempt) => backoffMs(attempt, limits, 0))).toEqual([
    500, 1_000, 2_000, 8_000, 15_000, 15_000,
  ]);
  expect(backoffMs(60, limits, 0.999)).toBeGreaterThanOrEqual(11_250);
});

it('steps run one after the other, also after one that failed', async () => {
  const serial = new Serial();
  const done: string[] = [];
  const failed = serial.run(() => Promise.reject(new Error('no')));
  const last = serial.run(() => done.push('second'));
  await expect(failed).rejects.toThrow('no');
  await last;
  expect(done).toEqual(['second']);
});

it('a stored value that does not have its shape counts as absent', async () => {
  const storage = new TestStorage();
  const stored = new Stored(storage, 'settings', SettingsSchema, SettingsSchema.parse({}));
  storage.items.set('settings', { sites_off: 'all' });
  expect(await stored.read()).toEqual({ agent_url: 'http://127.0.0.1:4317', sites_off: [], notices: null });
  const written = { agent_url: 'http://localhost:1', sites_off: ['gemini' as const], notices: false };
  await stored.write(written);
  expect(await stored.read()).toEqual(written);
});

it('texts have keys of their own', () => {
  const texts = ['', 'a', 'b', 'ab', 'ba', 'a'.repeat(1_000), 'a'.repeat(1_001), '🎼', '🎻'];
  expect(new Set(texts.map(textKey)).size).toBe(texts.length);
  expect(textKey('same')).toBe(textKey('same'));
});
