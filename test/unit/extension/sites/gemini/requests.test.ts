import { describe, expect, it } from 'vitest';
import type { RequestBody } from '../../../../../extension/sites/facts.ts';
import { GEMINI } from '../../../../../extension/sites/gemini/gemini.ts';
import { sparse } from '../../../../support/sites/gemini/wire-format.ts';
import { BATCH_URL, HEX, SEND, SEND_URL } from './fixture.ts';

const address = (path: string) => GEMINI.wire.addressOf(new URL(path, 'https://gemini.google.com'));
const role = (url: string, method = 'POST') => GEMINI.wire.roleOf({ method, url: new URL(url) });
const read = (body: RequestBody) => GEMINI.wire.readSend({ method: 'POST', url: new URL(SEND_URL) }, body);

describe("Gemini's addresses", () => {
  it.each(['/app', '/app/', '/u/1/app', '/gem/writing-editor', '/app?hl=de', '/u/12/gem/abc123/'])(
    'start a conversation: %s',
    (path) => expect(address(path)).toEqual({ kind: 'new', conversationId: null }),
  );

  it.each([`/app/${HEX}`, `/u/1/app/${HEX}`, `/gem/writing-editor/${HEX}`, `/app/${HEX}?hl=de#end`])(
    'name a conversation: %s',
    (path) => expect(address(path)).toEqual({ kind: 'conversation', conversationId: HEX }),
  );

  it.each(['/', `/share/${HEX}`, '/app/download', '/app/feed', `/app/${HEX}/more`, `/app/c_${HEX}`, '/gems/view'])(
    'name no conversation: %s',
    (path) => expect(address(path)).toEqual({ kind: 'other', conversationId: null }),
  );
});

describe('the accounts that Gemini has in one container', () => {
  const account = (path: string) => GEMINI.wire.accountPathOf?.(new URL(path, 'https://gemini.google.com'));
  it.each([
    ['/app', ''],
    [`/u/0/app/${HEX}`, ''],
    [`/u/1/app/${HEX}`, 'u/1'],
    ['/u/12/gem/abc123/', 'u/12'],
    ['/app/u/1/', ''],
  ])('are distinguished by addresses: %s is of "%s"', (path, of) => expect(account(path)).toBe(of));
});

describe("Gemini's requests", () => {
  it('send by StreamGenerate, also for a further account', () => {
    expect(role(SEND_URL)).toBe('send');
    expect(role(SEND_URL.replace('/_/', '/u/1/_/'))).toBe('send');
  });

  it('read a conversation by a batch that names hNvQHb', () => {
    expect(role(BATCH_URL)).toBe('read');
    expect(role(BATCH_URL.replace('hNvQHb', 'ESY5D%2ChNvQHb'))).toBe('read');
  });

  it('are of no interest otherwise', () => {
    expect(role(BATCH_URL.replace('hNvQHb', 'NkpXw'))).toBeNull();
    expect(role(SEND_URL, 'GET')).toBeNull();
    expect(role('https://gemini.google.com/app')).toBeNull();
    expect(role('https://gemini.google.com/evil/StreamGenerate')).toBeNull();
  });
});

describe('a send of Gemini', () => {
  const form = (values: Record<number, unknown>): string => JSON.stringify([null, JSON.stringify(sparse(values))]);
  const asForm = (field: string): RequestBody => ({ kind: 'form', fields: { 'f.req': [field], at: ['secret'] } });
  const asBytes = (field: string): RequestBody => ({
    kind: 'bytes',
    bytes: new TextEncoder().encode(new URLSearchParams({ 'f.req': field, at: 'secret' }).toString()),
  });
  const TEXT = 'Zeile "eins" 🎼\n\n\tzwei \\ & drei=%41+4\n你好';
  const NEW = form({ 0: [TEXT, 0, null, null], 1: ['en'], 2: ['', '', '', null], 69: 1 });
  const FOLLOWING = form({ 0: ['hi'], 1: ['en'], 2: [`c_${HEX}`, 'r_1234', 'rc_5678'], 17: [[0]], 99: null });
  const TEMPORARY = form({ 0: ['hi'], 2: [`c_${HEX}`, '', ''], 45: 1 });

  it.each([
    ['a form', asForm],
    ['bytes', asBytes],
  ])('is read from %s with every character of its text', (_name, as) => {
    expect(read(as(NEW))).toEqual({ ...SEND, text: TEXT, followsId: null });
  });

  it('names the conversation in the form of the address, and the turn that it follows', () => {
    expect(read(asForm(FOLLOWING))).toEqual({ ...SEND, text: 'hi', conversationId: HEX, followsId: 'r_1234' });
  });

  it('of a temporary conversation has no lasting id', () => {
    expect(read(asForm(TEMPORARY))).toEqual({ ...SEND, text: 'hi', isTemporary: true, followsId: null });
  });

  it.each([
    ['no field', { kind: 'form', fields: {} }],
    ['no JSON', asForm('[null,')],
    ['no inner JSON', asForm('[null,"["]')],
    ['an object', asForm('[null,"{}"]')],
    ['a number as its text', asForm('[null,"[[5]]"]')],
    ['bytes that are no UTF-8', { kind: 'bytes', bytes: new Uint8Array([0xff, 0xfe, 0x00]) }],
  ] satisfies [string, RequestBody][])('is not known with %s', (_what, body) => {
    expect(read(body)).toBeNull();
  });
});
