import { describe, expect, it } from 'vitest';
import { PAUSE_REASONS } from '../../../schema/contracts/conversations.ts';
import { INSTRUCTION_EVENT_KINDS, INSTRUCTION_STATES } from '../../../schema/contracts/instructions.ts';
import { JOB_STATUSES, SKIP_REASONS } from '../../../schema/contracts/renewal.ts';
import { HOLD_REASONS } from '../../../schema/contracts/renewal-settings.ts';
import { RUN_STATUSES } from '../../../schema/contracts/runs.ts';
import { SYSTEM_MODES } from '../../../schema/contracts/system.ts';
import { STEP_STATUSES, TASK_STATUSES } from '../../../schema/contracts/tasks.ts';
import { TICK_DECISIONS } from '../../../schema/contracts/ticks.ts';
import { ROLES } from '../../../schema/contracts/tokens.ts';
import { EN } from '../../../workers/page/texts/en.ts';
import { chooseLanguage, fill } from '../../../workers/page/texts/texts.ts';
import { ZH } from '../../../workers/page/texts/zh.ts';

const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

describe('the catalogues of the page', () => {
  it('have the same keys, and no empty text', () => {
    expect(Object.keys(ZH).sort()).toEqual(Object.keys(EN).sort());
    expect([...Object.values(EN), ...Object.values(ZH)].filter((text) => text.trim() === '')).toEqual([]);
  });

  it('have the same placeholders in each language', () => {
    const different = Object.entries(EN).filter(
      ([key, text]) => placeholders(text).join() !== placeholders(ZH[key as keyof typeof ZH]).join(),
    );
    expect(different.map(([key]) => key)).toEqual([]);
  });

  it.each([
    ['instruction', INSTRUCTION_STATES],
    ['mode', SYSTEM_MODES],
    ['tick', TICK_DECISIONS],
    ['role', ROLES],
    [
      'reason',
      [...PAUSE_REASONS, ...SKIP_REASONS, ...HOLD_REASONS].filter((reason) => !IN_OTHER_WORDS.includes(reason)),
    ],
    ['task', TASK_STATUSES],
    ['step', STEP_STATUSES],
    ['run', RUN_STATUSES],
    ['job', JOB_STATUSES],
    ['event', INSTRUCTION_EVENT_KINDS],
  ] as const)('have a text for each %s of the contracts', (prefix, values) => {
    const missing = values.filter((value) => !Object.hasOwn(EN, `${prefix}_${value}`));
    expect(missing).toEqual([]);
  });
});

/** Reasons that the page shows as the edge spells them: a person hardly ever sees one. */
const IN_OTHER_WORDS: readonly string[] = ['superseded', 'duplicate_job'];

describe('a text of the page', () => {
  it('has its placeholders replaced, and the form of the number', () => {
    expect(fill('{n} waits for {who}|{n} wait for {who}', { n: 1, who: 'you' })).toBe('1 waits for you');
    expect(fill('{n} waits for {who}|{n} wait for {who}', { n: 3, who: '{n}' })).toBe('3 wait for {n}');
    expect(fill('{missing}', {})).toBe('{missing}');
  });

  it('is in the language that the reader chose, or else the first one of the browser that there is', () => {
    expect(chooseLanguage('zh', ['en-US'])).toBe('zh');
    expect(chooseLanguage(null, ['de-DE', 'zh-TW', 'en'])).toBe('zh');
    expect(chooseLanguage('fr', ['de'])).toBe('en');
  });
});
