/** For how long the texts of one conversation are kept; the ticks remove what is older (texts-retention.job.ts). */
import { sql } from 'drizzle-orm';
import type { KeepState, TextsKept } from '../../schema/contracts/keeping.ts';
import { keptOf, storedDays } from '../../schema/domain/text-retention.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { requireConversation } from '../renewal/conversation-reads.ts';
import { settings } from '../settings.ts';
import { walkAgain } from './walks.ts';

export function keepState(env: Partial<Env>, { texts_kept_days }: Pick<ConversationRow, 'texts_kept_days'>): KeepState {
  return { days: keptOf(texts_kept_days, settings(env).texts_kept), is_own: texts_kept_days !== null };
}

/** Throws `conversation_not_found`. */
export async function keepTexts(edge: Edge, id: string, days: TextsKept | 'default'): Promise<WritePlan<KeepState>> {
  const { env, db } = edge;
  const row = await requireConversation(db, id);
  const texts_kept_days = days === 'default' ? null : storedDays(days);
  const before = keepState(env, row);
  const after = keepState(env, { texts_kept_days });
  if (row.texts_kept_days === texts_kept_days) return { audited: false, subject_id: id, response: before };
  const walks = after.days === 'always' || after.days === before.days ? [] : [walkAgain(db, after.days)];
  return {
    statements: [
      db.run(
        sql`UPDATE local_conversations SET texts_kept_days = ${texts_kept_days} WHERE local_conversation_id = ${id}`,
      ),
      ...walks,
    ],
    events: [{ topic: 'conversations', type: 'texts_kept_changed', subject_id: id, data: { ...after } }],
    subject_id: id,
    response: after,
  };
}
