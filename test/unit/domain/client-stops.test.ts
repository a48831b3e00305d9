import { describe, expect, it } from 'vitest';
import type { PlatformState } from '../../../schema/contracts/clients.ts';
import { linkStopped, resumePlatforms, stopPlatform } from '../../../schema/domain/client-stops.ts';

const platform = (name: PlatformState['platform'], stopped_reason: string | null = null): PlatformState => ({
  platform: name,
  login: 'fresh',
  fingerprint: 'f',
  hooks: [],
  stopped_reason,
});

describe('a browser', () => {
  it('is stopped on one platform, keeps its first reason, and loses its login by a sign-out', () => {
    const before = [platform('chatgpt'), platform('claude')];
    const stopped = stopPlatform(before, 'claude', 'signed_out');
    expect(stopped).toEqual([platform('chatgpt'), { ...platform('claude', 'signed_out'), login: 'lost' }]);
    expect(stopPlatform(stopped, 'claude', 'security_challenge')).toBe(stopped);
    expect(stopPlatform([], 'gemini', 'account_changed')).toMatchObject([{ stopped_reason: 'account_changed' }]);
  });

  it('is resumed on the platform that a person names, or on all platforms', () => {
    const stopped = [platform('chatgpt', 'signed_out'), platform('claude', 'account_changed'), platform('gemini')];
    expect(resumePlatforms(stopped, 'claude').resumed).toEqual(['claude']);
    const all = resumePlatforms(stopped, null);
    expect(all.resumed).toEqual(['chatgpt', 'claude']);
    expect(all.platforms.map((one) => one.stopped_reason)).toEqual([null, null, null]);
  });
});

describe('a link is stopped with the reason', () => {
  const client = { stopped_reason: null, fingerprint: 'f' };
  const ACCOUNTS: PlatformState['accounts'] = [
    { login: 'fresh', fingerprint: 'f' },
    { login: 'fresh', fingerprint: 'g' },
  ];
  it.each([
    [null, { fingerprint: 'f', client: null }],
    [null, { fingerprint: 'f', client }],
    [null, { fingerprint: null, client }],
    [null, { fingerprint: 'f', client: { ...client, fingerprint: null } }],
    ['account_changed', { fingerprint: 'g', client }],
    [null, { fingerprint: 'g', client: { ...client, fingerprint: null, accounts: ACCOUNTS } }],
    ['account_changed', { fingerprint: 'h', client: { ...client, fingerprint: null, accounts: ACCOUNTS } }],
    ['security_challenge', { fingerprint: 'f', client: { ...client, stopped_reason: 'security_challenge' } }],
    ['signed_out', { fingerprint: 'f', client: { ...client, stopped_reason: 'another word' } }],
  ])('%s', (reason, link) => {
    expect(linkStopped(link)).toBe(reason);
  });
});
