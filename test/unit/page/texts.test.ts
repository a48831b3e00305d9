import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FILE_ERROR_CODES } from '../../../local-agent/host/roots.ts';
import { REPOSITORY } from '../../../local-agent/stack/layout.ts';
import { LOGIN_STATES, STOP_REASONS } from '../../../schema/contracts/clients.ts';
import { STEP_CANCEL_REASONS } from '../../../schema/contracts/commands.ts';
import { PLATFORM_IDS } from '../../../schema/contracts/common.ts';
import { AUTOMATION_STATUSES, PAUSE_REASONS } from '../../../schema/contracts/conversations.ts';
import {
  INGEST_STATUSES,
  INSTRUCTION_EVENT_KINDS,
  INSTRUCTION_STATES,
  MESSAGE_ROLES,
  POLICY_DECISIONS,
  REPLY_OUTCOMES,
  RESOLUTION_OUTCOMES,
} from '../../../schema/contracts/instructions.ts';
import { SHOWN_DETAILS } from '../../../schema/contracts/journal.ts';
import { NODE_STATES } from '../../../schema/contracts/nodes.ts';
import { DELIVERY_OUTCOMES, JOB_STATUSES, SKIP_REASONS } from '../../../schema/contracts/renewal.ts';
import { HOLD_REASONS } from '../../../schema/contracts/renewal-settings.ts';
import { CHECKPOINT_TYPES, NO_RUN_REASONS, RUN_STATUSES } from '../../../schema/contracts/runs.ts';
import { FOUND_KINDS, TEXT_PLACES } from '../../../schema/contracts/search.ts';
import { SYSTEM_MODES } from '../../../schema/contracts/system.ts';
import { STEP_STATUSES, TASK_STATUSES } from '../../../schema/contracts/tasks.ts';
import { TICK_DECISIONS, TICK_TRIGGERS } from '../../../schema/contracts/ticks.ts';
import { ROLES } from '../../../schema/contracts/tokens.ts';
import { ERROR_CODES } from '../../../schema/errors.ts';
import { FIELDS } from '../../../workers/page/panels/settings/draft.ts';
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
    ['trigger', TICK_TRIGGERS],
    ['role', ROLES],
    ['task', TASK_STATUSES],
    ['step', STEP_STATUSES],
    ['run', RUN_STATUSES],
    ['job', JOB_STATUSES],
    ['event', INSTRUCTION_EVENT_KINDS],
    ['ingest', INGEST_STATUSES],
    ['decision', POLICY_DECISIONS],
    ['author', MESSAGE_ROLES],
    ['reply', REPLY_OUTCOMES],
    ['node', NODE_STATES],
    ['login', LOGIN_STATES],
    ['automation', AUTOMATION_STATUSES],
    ['checkpoint', CHECKPOINT_TYPES],
    ['platform', PLATFORM_IDS],
    ['found', FOUND_KINDS],
    ['text_place', TEXT_PLACES],
    ['setting', FIELDS],
    ['setting_help', FIELDS],
    ['reason', ERROR_CODES],
    ['reason', FILE_ERROR_CODES],
    ['reason', [...PAUSE_REASONS, ...SKIP_REASONS, ...HOLD_REASONS, ...STOP_REASONS]],
    ['detail', SHOWN_DETAILS],
    ['source', ['network', 'dom']],
    ['other', ['agrees', 'absent', 'differs']],
    ['resolved', RESOLUTION_OUTCOMES],
    ['outcome', DELIVERY_OUTCOMES],
    ['reason', [...NO_RUN_REASONS, ...STEP_CANCEL_REASONS]],
  ] as const)('have a text for each %s of the contracts', (prefix, values) => {
    expect(values.filter((value) => !Object.hasOwn(EN, `${prefix}_${value}`))).toEqual([]);
  });

  it.each(['| `due` |', '| `person_is_typing`'])(
    'have a text for each reason that docs/renewal.md explains from %s on',
    (from) => {
      const text = readFileSync(join(REPOSITORY, 'docs/renewal.md'), 'utf8');
      const begin = text.indexOf(from);
      const part = text.slice(begin, text.indexOf('\n\n', begin));
      const codes = [...part.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = '']) =>
        [...cell.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code),
      );
      expect(codes.length).toBeGreaterThan(10);
      expect(codes.filter((code) => !Object.hasOwn(EN, `reason_${code}`))).toEqual([]);
    },
  );
});

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
