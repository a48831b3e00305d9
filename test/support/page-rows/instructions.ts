/** What a person can do on the status page with messages, interrupted instructions and grants. */
import { expect } from 'vitest';
import type { Grant } from '../../../schema/contracts/grants.ts';
import { block } from '../browser.ts';
import type { PageScene } from '../page-scene.ts';
import { press, pressAndConfirm, pressAndConfirmByKey, reach } from '../page-tab.ts';
import { KEYS } from '../sites/firefox-tab.ts';
import type { ActionRow } from './row.ts';
import { instructionNow } from './row.ts';

const UNSURE = 'unsure-chat';

/** Begins an instruction that ends as interrupted, which takes a while: nothing says whether it took effect. */
export async function beginUnsure(scene: PageScene): Promise<void> {
  const downstream = { method: 'dom' as const, http_status: null, seen_in_page: false, duration_ms: 5 };
  scene.deliveryTo.set('another', { downstream });
  await scene.conversation(UNSURE);
  const send = '@browser.chatgpt::send::{"prompt": "Hello.", "conversation_id": "another"}';
  await scene.says(block(send), UNSURE);
}

/** The newest grant of a conversation, or the one of that id. */
const grantNow = async ({ cluster }: PageScene, id: string) =>
  (await cluster.call<{ items: Grant[] }>('GET', '/v1/grants')).items.find(
    (one) => one.grant_id === id || one.local_conversation_id === id,
  );

export const OF_INSTRUCTIONS: readonly ActionRow[] = [
  {
    name: 'submits a message again whose instruction was stopped',
    prepare: async (scene) => {
      await scene.cluster.call('POST', '/v1/system/pause', {});
      const call = '@conductor::files/write::{"path": "late", "content": "x"}';
      const { message_id, instruction_id } = await scene.instruction(call, 'blocked');
      await scene.cluster.call('POST', '/v1/system/resume', {});
      return { at: `/messages/${message_id}`, id: instruction_id };
    },
    act: (tab) => press(tab, 'Submit again'),
    says: /The message is submitted again; its node judges it\./,
    wrote: 'POST /v1/messages/:message_id/resubmit',
    effect: instructionNow,
    has: { status: 'succeeded' },
    shows: /Instructions executed.*succeeded\s+conductor::files\/write/,
  },
  {
    name: 'lets the like of an instruction run without asking, by the keyboard alone',
    prepare: async (scene) => {
      const asks = await scene.instruction('@conductor::exec::{"argv": ["echo", "one"]}', 'awaiting_approval');
      return { at: `/instructions/${asks.instruction_id}`, id: asks.local_conversation_id };
    },
    act: async (tab) => {
      await reach(tab, 'Allow the like for this conversation');
      await tab.type(KEYS.enter);
      await reach(tab, 'Exact items');
      await tab.type('1');
      await pressAndConfirmByKey(tab, 'Allow the like');
    },
    says: /The grant was made; what is like this runs without asking\./,
    wrote: 'POST /v1/grants',
    effect: async (scene, id) => {
      await scene.instruction('@conductor::exec::{"argv": ["echo", "two"]}', 'succeeded');
      return grantNow(scene, id);
    },
    has: { argv: ['echo'], further_items: 1, uses: 1, max_uses: 5, revoked_at: null },
    shows: /begins with exactly these items, and at most 1 more item follows/,
  },
  {
    name: 'revokes a grant',
    prepare: async (scene) => {
      const { local_conversation_id, approval } = await instructionNow(
        scene,
        (await scene.instruction('@conductor::exec::{"argv": ["uname"]}', 'awaiting_approval')).instruction_id,
      );
      const more = { folder: approval?.cwd ?? '', max_uses: 9, expires_in_ms: 600_000 };
      const body = { local_conversation_id, argv: ['uname'], ...more };
      const { grant_id } = await scene.cluster.call<Grant>('POST', '/v1/grants', body);
      return { at: '/grants', id: grant_id };
    },
    act: (tab) => pressAndConfirm(tab, 'Revoke', '["uname"]'),
    says: /The grant is revoked\./,
    wrote: 'DELETE /v1/grants/:grant_id',
    effect: async (scene, id) => {
      await scene.instruction('@conductor::exec::{"argv": ["uname"]}', 'awaiting_approval');
      return grantNow(scene, id);
    },
    has: { uses: 0, revoked_by: expect.stringMatching(/^operator@/) },
    shows: /\["uname"\].*0 \/ 9\s+revoked/,
  },
  {
    name: 'says of an interrupted instruction that it took effect, by the keyboard alone',
    prepare: async (scene) => {
      const { instruction_id: id } = await scene.instructionThatIs('interrupted');
      return { at: `/instructions/${id}`, id };
    },
    act: async (tab) => {
      await reach(tab, 'resolve-note');
      await tab.type('I see it there');
      await pressAndConfirmByKey(tab, 'It took effect');
    },
    says: /The journal has what you said\./,
    wrote: 'POST /v1/instructions/:instruction_id/resolve',
    effect: instructionNow,
    has: { status: 'succeeded', resolution: { outcome: 'done', note: 'I see it there' } },
    shows: /A person found\s+it took effect: I see it there \(operator@/,
  },
];
