import { describe, expect, it } from 'vitest';
import { TemplateSchema } from '../../../schema/contracts/renewal-settings.ts';
import { RENEWAL_SETTINGS } from '../../../schema/defaults.ts';
import { isRenewalText, payloadText, renewalPayload } from '../../../schema/domain/renewal-payload.ts';

const message = { message_id: 'm', raw_text: 'done {link}', title: 'A chat', page_url: 'https://x/c/1' };

describe('the payload of a renewal', () => {
  it('has a summary of 200 characters and the address', () => {
    const { text, template } = renewalPayload(
      { ...message, raw_text: `${'word '.repeat(100)}` },
      RENEWAL_SETTINGS.template,
    );
    expect(template).toBe('summary_with_link');
    expect(text).toContain(`${'word '.repeat(40)}…`);
    expect(text.endsWith('https://x/c/1')).toBe(true);
  });

  it('of a person’s template replaces each placeholder once, and none in the inserted text', () => {
    const { text, template } = renewalPayload(message, '{title}: {summary} / {link}');
    expect(template).toBe('custom');
    expect(text).toBe('A chat: done {link} / https://x/c/1');
  });

  it.each([
    ['[]', 'json', null, { error: 'invalid_payload' }],
    ['nonsense', 'json', null, { error: 'invalid_payload' }],
    ['{}', 'json', null, { error: 'missing_payload_text' }],
    ['{"text":" "}', 'json', null, { error: 'missing_payload_text' }],
    ['{"text":"go on"}', 'json', null, { text: 'go on' }],
    ['go on', 'text', null, { text: 'go on' }],
    ['', 'text', ' ', { error: 'missing_payload_text' }],
  ] as const)('%j as %s yields its text or an error', (payload, payload_kind, payload_text, expected) => {
    expect(payloadText({ payload, payload_kind, payload_text })).toEqual(expected);
  });

  it('is recognized in the page with any change of white space', () => {
    expect(isRenewalText('Go on\nplease ', 'Go on  please')).toBe(true);
    expect(isRenewalText('Go on, please', 'Go on please')).toBe(false);
    expect(isRenewalText('', null)).toBe(false);
  });
});

describe('a template', () => {
  it.each(['', '  \n', '{summry}', 'a {} b', '{summary} {raw_text}'])('%j is refused', (text) => {
    expect(TemplateSchema.safeParse(text).success).toBe(false);
  });
  it.each(['go on', '{summary}', 'a { b } c', '{title} {link} {link}'])('%j is accepted', (text) => {
    expect(TemplateSchema.safeParse(text).success).toBe(true);
  });
});
