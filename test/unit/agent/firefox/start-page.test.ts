import { describe, expect, it } from 'vitest';
import { startPage } from '../../../../local-agent/firefox/start-page.ts';

describe('the page that a Firefox opens first', () => {
  it.each([
    ['https://claude.ai/new', 'https://claude.ai/new'],
    ['http://127.0.0.1:8080/x?y#z', 'http://127.0.0.1:8080/x?y#z'],
    ['chatgpt', 'https://chatgpt.com/'],
    ['claude', 'https://claude.ai/new'],
    ['Gemini', 'https://gemini.google.com/app'],
    ['about:blank', 'about:blank'],
  ])('%s is %s', (text, page) => {
    expect(startPage(text)).toBe(page);
  });

  it.each([
    'nonsense',
    '',
    '-P',
    '--profile=/x',
    'about:config',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'constructor',
  ])('%j is refused with what is allowed', (text) => {
    expect(() => startPage(text)).toThrow(
      'It must be an http:// or https:// address, chatgpt, claude, gemini for the start page of that site, or about:blank.',
    );
  });

  it('an address without its scheme is refused with the one that was meant', () => {
    expect(() => startPage('claude.ai/new')).toThrow('Did you mean https://claude.ai/new?');
  });

  it('a word is not taken for a host', () => {
    expect(() => startPage('nonsense')).not.toThrow('Did you mean');
  });
});
