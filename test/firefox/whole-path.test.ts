/**
 * The whole path in a real Firefox started by `conductor firefox`: an instruction of an assistant has its effect on the
 * host and its reply in the chat, and a renewal of the Cron Trigger arrives there. For each kind of account, page and transport
 * of each site, with both manifests. What else streams do is in the tests of each site, with both manifests too.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { pageOf } from '../../schema/contracts/common.ts';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import { MessageSummarySchema } from '../../schema/contracts/instructions.ts';
import { TickSchema } from '../../schema/contracts/ticks.ts';
import { until } from '../support/cluster.ts';
import { describeWithManifests } from '../support/sites/manifests.ts';
import type { ChatSite } from '../support/whole-path/chat-sites.ts';
import { chatgpt, claude, gemini, personWrites } from '../support/whole-path/chat-sites.ts';
import { ChatSystem } from '../support/whole-path/chat-system.ts';

/** Each has one site of a host: a server serves one variant of it at a time. */
const VARIANTS: readonly (() => readonly ChatSite[])[] = [
  () => [chatgpt('legacy', 'delta'), claude('merged'), gemini()],
  () => [chatgpt('app-shell', 'handoff'), claude('legacy')],
  () => [chatgpt('app-shell', 'cumulative')],
];

function block(instruction: string): string {
  return ['```baa', instruction, '```'].join('\n');
}

for (const sitesOf of VARIANTS) {
  describeWithManifests('the whole path', (manifest) => {
    const sites = sitesOf();
    let system: ChatSystem;
    beforeAll(async () => {
      system = await ChatSystem.start({ sites, manifest });
    });
    afterAll(async () => {
      await system.stop();
      expect(system.server.errors).toEqual([]);
    });

    for (const [index, site] of sites.entries()) {
      it(`an instruction in ${site.name} runs once, its reply and then a renewal arrive in the chat`, async () => {
        const file = `written-${index}.txt`;
        const write = `@conductor::files/write::${JSON.stringify({ path: file, content: 'by an assistant\n' })}`;
        site.assistantSays(`I write a file.\n\n${block(write)}\n`);
        site.assistantSays('The file is there. Half of the work is done.');
        const tab = await system.openTab(site.newChatUrl);
        await personWrites(tab, site, 'Write the file');

        const reply = await until(async () => site.received()[1]);
        expect(reply).toContain('files/write');
        expect(readFileSync(join(system.workspace, file), 'utf8')).toBe('by an assistant\n');
        expect(await tab.url()).toMatch(site.conversationAddress);

        const conversation = await until(async () => {
          const { items } = await system.api.get('/v1/renewal/conversations', pageOf(ConversationSchema));
          return items.find(({ platform }) => platform === site.platform);
        });
        await until(async () => {
          const { items } = await system.api.get('/v1/messages', pageOf(MessageSummarySchema));
          return items.filter(({ platform }) => platform === site.platform).length === 2;
        });
        await system.conductor(`conversations auto ${conversation.local_conversation_id}`);
        const renewal = await until(async () => {
          await system.stack.cron();
          return site.received()[2];
        });
        expect(renewal.length).toBeGreaterThan(0);
        const delivered = await until(async () => {
          const { items } = await system.api.get('/v1/timed-jobs/ticks?limit=50', pageOf(TickSchema));
          const entries = items.flatMap((tick) => tick.entries);
          return entries.find(
            ({ stage, local_conversation_id }) =>
              stage === 'job_completed' && local_conversation_id === conversation.local_conversation_id,
          );
        });
        expect(delivered).toMatchObject({ outcome: 'delivered', method: 'dom', http_status: 200 });
        expect(site.received().slice(0, 3)).toEqual(['Write the file', reply, renewal]);
        await tab.close();
      });
    }

    it('no message was ingested twice, and no instruction ran twice', async () => {
      const { items } = await system.api.get('/v1/messages?limit=200', pageOf(MessageSummarySchema));
      const ids = items.map(({ platform, assistant_message_id }) => `${platform} ${assistant_message_id}`);
      expect(new Set(ids).size).toBe(ids.length);
      const Instruction = z.object({ status: z.string() });
      const instructions = await system.api.get('/v1/instructions?limit=200', pageOf(Instruction));
      expect(instructions.items).toHaveLength(sites.length);
      expect(existsSync(join(system.workspace, 'written-0.txt'))).toBe(true);
    });
  });
}
