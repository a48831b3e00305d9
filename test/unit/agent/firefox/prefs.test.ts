import { describe, expect, it } from 'vitest';
import type { PrefFacts } from '../../../../local-agent/firefox/prefs.ts';
import { parsePref, prefsOf, userJs, withoutPrefs } from '../../../../local-agent/firefox/prefs.ts';

const UUID = '3f1b7c1e-5a0e-4c39-9d3b-0b8f6a2d4c11';
const FACTS: PrefFacts = { isUnsigned: true, isOffline: false, extensionId: 'x@y', uuid: UUID, given: {} };
const UUIDS = 'extensions.webextensions.uuids';

describe('--pref', () => {
  it.each([
    ['a.b=true', ['a.b', true]],
    ['a.b=false', ['a.b', false]],
    ['a.b=-12', ['a.b', -12]],
    ['a.b=443=8443', ['a.b', '443=8443']],
    ['a.b=', ['a.b', '']],
    ['a.b=True', ['a.b', 'True']],
    ['a.b=1.5', ['a.b', '1.5']],
    ['a.b=4294967296', ['a.b', '4294967296']],
  ])('%s', (text, expected) => {
    expect(parsePref(text)).toEqual(expected);
  });

  it.each(['a.b', '=value', ''])('%j names no preference', (text) => {
    expect(parsePref(text)).toBeNull();
  });
});

describe('the preferences of a start', () => {
  it('let an unsigned archive run only when the archive is in the profile', () => {
    expect(prefsOf(FACTS, '')).toMatchObject({
      'xpinstall.signatures.required': false,
      'extensions.autoDisableScopes': 0,
    });
    expect(Object.keys(prefsOf({ ...FACTS, isUnsigned: false }, ''))).not.toContain('xpinstall.signatures.required');
  });

  it('leave the protections of Firefox on unless it may make no connection at all', () => {
    const protection = 'browser.safebrowsing.malware.enabled';
    expect(Object.keys(prefsOf(FACTS, ''))).not.toContain(protection);
    expect(prefsOf({ ...FACTS, isOffline: true }, '')).toMatchObject({ [protection]: false });
  });

  it('a value of --pref counts more than one of ours', () => {
    const given = { 'extensions.autoDisableScopes': 15, 'network.socket.forcePort': '443=8443' };
    expect(prefsOf({ ...FACTS, given }, '')).toMatchObject(given);
  });

  it('fix the UUID of the extension and keep those that Firefox has given to others', () => {
    const saved = JSON.stringify(JSON.stringify({ 'other@mozilla.org': 'uuid-1', 'x@y': 'an-old-one' }));
    const prefsJs = `user_pref("a.b", 1);\nuser_pref("${UUIDS}", ${saved});\n`;
    expect(JSON.parse(String(prefsOf(FACTS, prefsJs)[UUIDS]))).toEqual({ 'other@mozilla.org': 'uuid-1', 'x@y': UUID });
  });

  it.each(['', `user_pref("${UUIDS}", "{broken");\n`])('begin with our UUID alone when %j is saved', (prefsJs) => {
    expect(JSON.parse(String(prefsOf(FACTS, prefsJs)[UUIDS]))).toEqual({ 'x@y': UUID });
  });
});

describe('the text of user.js', () => {
  it('no value can end its own text and set another preference', () => {
    const hostile = '"); user_pref("xpinstall.signatures.required", false); //\n\\';
    const [, line = '', ...rest] = userJs({ 'a.b': hostile }).split('\n');
    expect(line).toBe(
      String.raw`user_pref("a.b", "\"); user_pref(\"xpinstall.signatures.required\", false); //\u000a\\");`,
    );
    expect(rest).toEqual(['']);
  });

  it('writes numbers and booleans without quotes', () => {
    expect(userJs({ 'a.b': -1, 'c.d': true })).toContain('user_pref("a.b", -1);\nuser_pref("c.d", true);\n');
  });

  it('a preference that is no longer set leaves what Firefox has saved, and no other does', () => {
    const saved = 'user_pref("a.b", "x");\nuser_pref("a.b.c", 1);\nuser_pref("d", true);\n';
    expect(withoutPrefs(saved, ['a.b', 'd'])).toBe('user_pref("a.b.c", 1);\n');
  });
});
