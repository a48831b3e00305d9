/** What a person can do on the status page with conversations and their settings. */
import type { z } from 'zod';
import type { SettingsResponseSchema } from '../../../schema/contracts/renewal-settings.ts';
import type { PageScene } from '../page-scene.ts';
import { press, pressAndConfirm, pressByKey, reach } from '../page-tab.ts';
import type { ActionRow, Target } from './row.ts';
import { conversationNow, hasOwn, setHere } from './row.ts';

const CONVERSATION = 'POST /v1/renewal/conversations/:local_conversation_id';

const at = (id: string): Target => ({ at: `/conversations/${id}`, id });

/** A conversation whose automation was set so, one after the other. */
const thatWas =
  (remote: string, ...states: string[]) =>
  async (scene: PageScene): Promise<Target> => {
    const id = await scene.conversation(remote);
    for (const state of states) await scene.cluster.call('POST', `/v1/renewal/conversations/${id}/${state}`, {});
    return at(id);
  };

const settingsOfSite = ({ cluster }: PageScene, platform: string) =>
  cluster.call<z.output<typeof SettingsResponseSchema>>('GET', `/v1/renewal/settings?platform=${platform}`);

export const OF_CONVERSATIONS: readonly ActionRow[] = [
  {
    name: 'sets a conversation to auto, by the keyboard alone',
    prepare: thatWas('auto-chat'),
    act: (tab) => pressByKey(tab, 'Auto'),
    says: /The conversation is now on: auto\./,
    wrote: `${CONVERSATION}/auto`,
    effect: conversationNow,
    has: { automation_status: 'auto' },
    shows: /Automation\s+auto\s+The conductor carries this conversation on\./,
  },
  {
    name: 'sets a conversation to manual',
    prepare: thatWas('manual-chat', 'auto'),
    act: (tab) => press(tab, 'Manual'),
    says: /The conversation is now on: manual\./,
    wrote: `${CONVERSATION}/manual`,
    effect: conversationNow,
    has: { automation_status: 'manual' },
    shows: /Automation\s+manual\s+Renewals are left to you/,
  },
  {
    name: 'pauses a conversation',
    prepare: thatWas('paused-chat', 'auto'),
    act: (tab) => press(tab, 'Pause'),
    says: /The conversation is now on: paused\./,
    wrote: `${CONVERSATION}/paused`,
    effect: conversationNow,
    has: { automation_status: 'paused', pause_reason: 'user_pause' },
    shows: /Automation\s+paused\s+Nothing is sent, and no instruction runs\. Reason: a person stopped it/,
  },
  {
    name: 'resumes a conversation to what it was before its pause',
    prepare: thatWas('resumed-chat', 'auto', 'paused'),
    act: (tab) => press(tab, 'Resume'),
    says: /The conversation is resumed\./,
    wrote: `${CONVERSATION}/resume`,
    effect: conversationNow,
    has: { automation_status: 'auto', pause_reason: null },
    shows: /Automation\s+auto/,
  },
  {
    name: 'forgets what was said in a conversation, and says what is gone',
    prepare: async (scene) => {
      const id = await scene.conversation('forgotten-chat');
      await scene.instruction('@conductor::exec::{"argv": ["printf", "a secret"]}', 'succeeded', 'forgotten-chat');
      return at(id);
    },
    act: (tab) => pressAndConfirm(tab, 'Forget'),
    says: /It is being forgotten\./,
    wrote: `${CONVERSATION}/forget`,
    effect: conversationNow,
    has: { forget: { state: 'forgotten', removed: { messages: 1, instructions: 1 } } },
    shows: /Removed: what was said before .*Instructions\s+1/,
  },
  {
    name: 'sets for how long the texts of a conversation are kept, by the keyboard alone',
    prepare: thatWas('kept-chat'),
    act: async (tab) => {
      await reach(tab, 'Kept for');
      await tab.type('always');
    },
    says: /Saved\./,
    wrote: `${CONVERSATION}/keep`,
    effect: conversationNow,
    has: { texts_kept: { days: 'always', is_own: true } },
    shows: /Nothing is removed by its age\./,
  },
  {
    name: 'sets a limit for one conversation, which then shows it',
    prepare: thatWas('limited-chat'),
    act: async (tab) => {
      await press(tab, 'Change', 'Limits');
      await setHere(tab, 'max_in_a_row', '3');
    },
    says: /The settings are saved\./,
    wrote: 'PUT /v1/renewal/settings',
    effect: conversationNow,
    has: { limits: { max_in_a_row: 3 } },
    shows: hasOwn('max_in_a_row', '3'),
  },
  {
    name: 'sets a limit for one site, by the keyboard alone',
    prepare: async () => ({ at: '/settings', id: 'gemini' }),
    act: async (tab) => {
      await reach(tab, 'Settings for');
      await tab.type('Gemini');
      await tab.until(() => location.search === '?platform=gemini' && document.querySelector('.loading') === null);
      await reach(tab, 'setting-max_in_a_row-own');
      await tab.type(' ');
      await tab.until(() => document.querySelector('#setting-max_in_a_row:disabled') === null);
      await tab.tabBack();
      await tab.type('5');
      await pressByKey(tab, 'Save');
    },
    says: /The settings are saved\./,
    wrote: 'PUT /v1/renewal/settings',
    effect: settingsOfSite,
    has: { scope: 'platform', settings: { max_in_a_row: 5 } },
    shows: hasOwn('max_in_a_row', '5'),
  },
];
