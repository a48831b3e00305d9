/** Makes waiting jobs due now, after what they waited for has ended. Their status stays as it is. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { STOP_REASONS } from '../../schema/contracts/clients.ts';
import { PAUSE_REASONS } from '../../schema/contracts/conversations.ts';
import type { SettingsScope } from '../../schema/contracts/renewal-settings.ts';
import { HOLD_REASONS } from '../../schema/contracts/renewal-settings.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';

/** Reasons that a person's change of the automation can end. */
const AUTOMATION_REASONS = ['automation_manual', 'automation_paused', ...PAUSE_REASONS, ...HOLD_REASONS];

/** Jobs that waited for the automation of that conversation. */
export function wakeJobsOfConversation(edge: Edge, id: string): Statement {
  return wakeJobs(edge, AUTOMATION_REASONS, sql`local_conversation_id = ${id}`);
}

/** Jobs that waited for that browser to be resumed. */
export function wakeJobsOfBrowser(edge: Edge, clientId: string): Statement {
  return wakeJobs(
    edge,
    STOP_REASONS,
    sql`local_conversation_id IN (SELECT local_conversation_id FROM conversation_links
      WHERE client_id = ${clientId} AND is_active = 1)`,
  );
}

/** Jobs that waited for that node to make contact. Found by their next time, so only those of a few minutes are read. */
export function wakeJobsOfNode(edge: Edge, nodeId: string) {
  return wakeJobs(
    edge,
    ['node_unreachable'],
    sql`next_attempt_at <= ${edge.now + DELIVERY.stopped_recheck_ms}
      AND EXISTS (SELECT 1 FROM conversation_links AS l WHERE l.is_active = 1 AND l.controller_id = ${nodeId}
        AND l.local_conversation_id = renewal_jobs.local_conversation_id)`,
  );
}

/**
 * Jobs that a limit held back in that scope, and messages that became no job because of one. A person's act: it reads
 * what waits there, for the scope of all conversations everything that waits.
 */
export function wakeHeld(edge: Edge, { platform, local_conversation_id }: SettingsScope): Statement[] {
  const { db, now } = edge;
  const isInScope = local_conversation_id
    ? sql`c.local_conversation_id = ${local_conversation_id}`
    : platform
      ? sql`c.platform = ${platform}`
      : sql`true`;
  return [
    wakeJobs(
      edge,
      HOLD_REASONS,
      sql`EXISTS (SELECT 1 FROM local_conversations AS c
        WHERE c.local_conversation_id = renewal_jobs.local_conversation_id AND ${isInScope})`,
    ),
    db.run(sql`UPDATE local_conversations AS c SET project_at = ${now}
      WHERE c.automation_status = 'auto' AND ${isInScope} AND EXISTS (SELECT 1 FROM messages AS m
        WHERE m.message_id = c.last_message_id AND m.skip_reason IN ('cooldown', 'limit_reached'))`),
  ];
}

function wakeJobs({ db, now }: Edge, reasons: readonly string[], condition: SQL) {
  const list = sql.join(
    reasons.map((reason) => sql`${reason}`),
    sql`, `,
  );
  return db.run(sql`UPDATE renewal_jobs SET next_attempt_at = ${now}, updated_at = ${now}
    WHERE status = 'pending' AND next_attempt_at > ${now} AND last_error IN (${list}) AND ${condition}`);
}
