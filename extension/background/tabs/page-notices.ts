/**
 * Notices of content scripts. One counts for the tab that it came from only, and only from the page itself, so that a
 * frame or a compromised page says nothing about others.
 */
import { z } from 'zod';
import type { PageLook } from '../../messages.ts';
import type { TabRegistry } from './tab-registry.ts';

const TextSchema = z.string().max(8_192);

const LookSchema: z.ZodType<PageLook> = z.object({
  url: TextSchema,
  title: TextSchema,
  address: z.object({
    kind: z.enum(['conversation', 'new', 'provisional', 'temporary', 'other']),
    conversationId: z.string().max(256).nullable(),
  }),
  shownConversation: z.string().max(256).nullable(),
  isVisible: z.boolean(),
  composer: z.enum(['loading', 'missing', 'empty', 'draft', 'busy']),
  typedAgoMs: z.number().nullable(),
  isAnswering: z.boolean(),
  isOver: z.boolean(),
  obstacle: z
    .object({
      kind: z.enum(['challenge', 'signed_out', 'limit', 'permission', 'choice', 'old_version', 'error']),
      text: z.string().max(1_000),
      resetsAt: z.number().nullable(),
    })
    .nullable(),
  login: z
    .object({
      login: z.enum(['fresh', 'stale', 'lost']),
      account: z.string().max(1_000).nullable(),
    })
    .nullable(),
  workspace: z.string().max(256).optional(),
  drift: z.array(z.string().max(500)).max(100),
  lastAnswer: z.object({ id: z.string().max(256).nullable(), isFinished: z.boolean(), chars: z.number() }).nullable(),
});

const NoticeSchema = z.object({ to: z.literal('background'), notice: z.literal('page_changed'), look: LookSchema });

/** Who sent a message, as the browser says. */
export interface MessageSender {
  id?: string | undefined;
  url?: string | undefined;
  frameId?: number | undefined;
  tab?: { id?: number | undefined; cookieStoreId?: string | undefined } | undefined;
}

/** The look in a message, and the tab that it is about; null when the message is no notice or its sender may not send it. */
export function readNotice(
  message: unknown,
  sender: MessageSender,
  { extensionId, tabs }: { extensionId: string; tabs: Pick<TabRegistry, 'siteOf'> },
): { tabId: number; container: string | null; look: PageLook } | null {
  const tabId = sender.tab?.id;
  if (sender.id !== extensionId || tabId === undefined || sender.frameId !== 0) return null;
  const site = tabs.siteOf(sender.url);
  const parsed = NoticeSchema.safeParse(message);
  if (site === null || !parsed.success) return null;
  const { look } = parsed.data;
  if (tabs.siteOf(look.url) !== site) return null;
  // The address is read here, so that the page cannot claim another conversation than it shows.
  const container = sender.tab?.cookieStoreId ?? null;
  return { tabId, container, look: { ...look, address: site.wire.addressOf(new URL(look.url)) } };
}
