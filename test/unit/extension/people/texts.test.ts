import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODES_WITH_ADVICE, LINE_CODES } from '../../../../extension/overlay/describe-lines.ts';
import { REASONS, reasonText } from '../../../../extension/overlay/reasons.ts';
import { CONNECTION_STATES } from '../../../../extension/people-messages.ts';
import { PAUSE_REASONS } from '../../../../schema/contracts/conversations.ts';
import { INGEST_STATUSES, INSTRUCTION_STATES } from '../../../../schema/contracts/instructions.ts';
import { DELIVERY_KINDS, DELIVERY_OUTCOMES } from '../../../../schema/contracts/renewal.ts';
import { HOLD_REASONS } from '../../../../schema/contracts/renewal-settings.ts';
import { SYSTEM_MODES } from '../../../../schema/contracts/system.ts';
import { EXTENSION, english, messagesOf } from './views.ts';

const EN = messagesOf('en');
const ZH = messagesOf('zh_CN');
const placeholders = (message: string) => [...new Set(message.match(/\$\d/g) ?? [])].sort();

const sources = globSync(['{overlay,options}/**/*.{ts,tsx}', 'background/**/*.ts'], { cwd: EXTENSION }).map((path) => ({
  path,
  text: readFileSync(join(EXTENSION, path), 'utf8'),
}));

const deliverySources = sources.filter(({ path }) => path.startsWith('background/deliveries/')).map(({ text }) => text);

/** Keys that a code of the system completes. */
const COMPLETED: string[] = [
  ...CONNECTION_STATES.flatMap((state) => [`connection_${state}`, `badge_${state}`]),
  ...CONNECTION_STATES.filter((state) => state !== 'connected' && state !== 'connecting').map(
    (state) => `connection_${state}_help`,
  ),
  'connection_unreachable_retry',
  'connection_closed_retry',
  ...SYSTEM_MODES.flatMap((mode) => [`mode_${mode}`, `mode_${mode}_note`, `badge_${mode}`]),
  ...['manual', 'auto', 'paused'].flatMap((status) => [`status_${status}`, `status_${status}_note`]),
  ...DELIVERY_KINDS.flatMap((kind) => [`waits_${kind}`, `sending_${kind}`]),
  ...[...DELIVERY_OUTCOMES, 'refused'].map((outcome) => `delivery_${outcome}`),
  ...[...LINE_CODES, 'other'].map((code) => `line_${code}`),
  ...CODES_WITH_ADVICE.map((code) => `todo_${code}`),
  ...INGEST_STATUSES.map((status) => `ingest_${status}`),
  ...INSTRUCTION_STATES.map((state) => `instruction_${state}`),
  ...REASONS.map((code) => `reason_${code}`),
  ...['bad_address', 'unreachable', 'refused', 'too_late'].map((reason) => `pair_${reason}`),
];
const NAMED = new Set(
  sources.flatMap(({ text }) => [...text.matchAll(/'([a-z]+(?:_[a-z]+)+|[a-z]+)'/g)].map(([, key]) => key)),
);

describe('the texts of the extension', () => {
  it('English and Chinese have the same messages with the same placeholders', () => {
    expect(Object.keys(ZH)).toEqual(Object.keys(EN));
    const differing = Object.keys(EN).filter(
      (key) => placeholders(EN[key]?.message ?? '').join() !== placeholders(ZH[key]?.message ?? '').join(),
    );
    expect(differing).toEqual([]);
  });

  it('every message that the code names is there', () => {
    const asked = sources.flatMap(({ text }) =>
      [...text.matchAll(/\bt\(\s*'([a-z_]+)'/g), ...text.matchAll(/key: '([a-z_]+)'/g)].map(([, key = '']) => key),
    );
    expect([...new Set([...asked, ...COMPLETED])].filter((key) => EN[key] === undefined)).toEqual([]);
  });

  it('every message is used', () => {
    const unused = Object.keys(EN).filter((key) => !NAMED.has(key) && !COMPLETED.includes(key));
    expect(unused).toEqual([]);
  });

  it('no text for people is written into a component', () => {
    const written = sources
      .filter(({ path }) => path.endsWith('.tsx'))
      .flatMap(({ path, text }) =>
        [
          ...text.matchAll(/(?<!=)>\s*([A-Z][A-Za-z ,.!?]{2,})\s*</g),
          ...text.matchAll(/(?:aria-label|title|placeholder)="([^"]+)"/g),
        ].map(([, found]) => `${path}: ${found}`),
      );
    expect(written).toEqual([]);
  });

  it('each reason to pause and to hold has words, and an unknown code is shown as it is, visibly', () => {
    for (const code of [...PAUSE_REASONS, ...HOLD_REASONS]) expect(reasonText(code).key).toBe(`reason_${code}`);
    expect(english()(reasonText('brand_new\u202e_reason'))).toBe('reason: brand_new\\u{202e}_reason');
  });

  it('each way in which a delivery ends has words', () => {
    const said = /(?:endOf\('\w+', |deferred\(|lookAgain\(delivery, |reason: |endOfWaiting\()'([a-z_]+)'/g;
    const codes = deliverySources.flatMap((text) => [...text.matchAll(said)].map(([, code]) => code ?? ''));
    expect(codes.length).toBeGreaterThan(20);
    expect(codes.filter((code) => reasonText(code).key === 'reason_other')).toEqual([]);
  });

  it('each line that the background page reports has words', () => {
    const said = /\breport\((?:[\w.]+, )?['`]([a-z]+(?:_[a-z]+)*)(?=['`:])/g;
    const codes = sources.flatMap(({ text }) => [...text.matchAll(said)].map(([, code]) => code ?? ''));
    expect(codes.length).toBeGreaterThan(20);
    expect(codes.filter((code) => !LINE_CODES.some((one) => one === code))).toEqual([]);
  });

  it('the mode of a paused system is the English word in both languages', () => {
    expect(EN.mode_paused?.message).toBe('paused');
    expect(ZH.mode_paused?.message).toContain('paused');
  });

  it('no other message has that word, so that it says the mode of the system alone', () => {
    const others = Object.entries(EN).filter(
      ([key, { message }]) => /paused/.test(message) && !/^(mode|badge)_paused$/.test(key),
    );
    expect(others).toEqual([]);
  });
});
