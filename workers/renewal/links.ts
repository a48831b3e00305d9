/**
 * Conversations and links from what browsers report. Observations are upserted in bulk: a conversation seen for the first
 * time is `manual`; of one browser's observations of a conversation the newest stays, in any order of arrival.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { LinkObservation } from '../../schema/contracts/conversations.ts';
import { LINK } from '../../schema/defaults.ts';
import { newConversation } from '../../schema/domain/conversation.ts';
import { redriveLinkedJob } from '../../schema/domain/job-machine.ts';
import type { ObservedLink } from '../../schema/domain/links.ts';
import { observedLink } from '../../schema/domain/links.ts';
import { newId } from '../../schema/ids.ts';
import { local_conversations } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import type { Statement } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { storedJson } from '../db/stored-json.ts';
import { failedJobsOf } from './job-reads.ts';
import type { StoredStep } from './job-steps.ts';
import { stepStatements } from './job-steps.ts';
import { projectAgainWhenLinked } from './projection-marks.ts';

type ObservedTab = LinkObservation & { platform: Platform };

export interface BrowserObservations {
  controller_id: string;
  client_id: string;
  tabs: readonly ObservedTab[];
}

const LINK_COLUMNS = [
  'platform',
  'remote_conversation_id',
  'page_url',
  'page_title',
  'route_path',
  'route_pattern',
  'route_params',
  'target_kind',
  'target_id',
  'target_payload',
  'observed_at',
] as const;

const columns = sql.raw(LINK_COLUMNS.join(', '));
const fromJson = sql.raw(LINK_COLUMNS.map((name) => `seen.value->>'${name}'`).join(', '));
const fromExcluded = sql.raw(LINK_COLUMNS.map((name) => `${name} = excluded.${name}`).join(', '));

/**
 * Whether an observation of a stored link is worth a write: another link of the conversation may have been seen later
 * than this one, something besides the time differs, or the stored time is too old to be shown.
 */
const HAS_NEWS = sql`(conversation_links.observed_at <= excluded.observed_at - ${LINK.observed_grain_ms}
  OR (conversation_links.fingerprint IS NULL AND excluded.fingerprint IS NOT NULL)
  OR conversation_links.failed_at IS NOT NULL
  OR EXISTS (SELECT 1 FROM conversation_links AS other
    WHERE other.local_conversation_id = conversation_links.local_conversation_id AND other.is_active = 1
      AND other.client_id <> conversation_links.client_id AND other.observed_at >= conversation_links.observed_at)
  OR ${sql.raw(
    ['controller_id', ...LINK_COLUMNS.filter((name) => name !== 'observed_at')]
      .map((name) => `conversation_links.${name} IS NOT excluded.${name}`)
      .join(' OR '),
  )})`;

/**
 * Whether a tab is of the account of a link (SQL): the link keeps its first account, so a tab that names another one, in
 * another container of the browser, neither moves the link nor makes it active again. `target`: what the tab became.
 */
function isOfAccount(link: string, target: string): SQL {
  const named = `${target}->>'account_fingerprint'`;
  return sql.raw(`(${link}.fingerprint IS NULL OR ${named} IS NULL OR ${named} = ${link}.fingerprint)`);
}

/**
 * The plan that takes back the links of conversations that the browser no longer lists: it has closed their tabs.
 * `tabs` are all that it had at `listedAt` (Unix milliseconds); a link that was stored after that is of a tab opened since.
 */
export function takeBackLinks(
  { db, now }: Edge,
  clientId: string,
  tabs: readonly ObservedTab[],
  listedAt: number,
): Plan {
  const listed = tabs.flatMap(({ platform, remote_conversation_id: id, shell_page }) =>
    shell_page || id === null ? [] : [{ platform, id }],
  );
  return {
    statements: [
      db.run(sql`UPDATE conversation_links SET is_active = 0, updated_at = ${now}
        WHERE client_id = ${clientId} AND is_active = 1 AND updated_at <= ${listedAt} AND (platform, remote_conversation_id) NOT IN
          (SELECT value->>'platform', value->>'id' FROM json_each(${JSON.stringify(listed)}))`),
    ],
  };
}

/**
 * Makes the links of those tabs active again that were taken back before `seenAt` (Unix milliseconds); the statement after
 * it stores what was seen, also when the browser's clock is behind. A statement of its own, so that an observation that changes
 * nothing else does not write the index over `is_active`.
 */
function renewLinks({ db }: Edge, clientId: string, observedJson: string, seenAt: number): Statement {
  return db.run(sql`UPDATE conversation_links SET is_active = 1, observed_at = 0
    WHERE link_id IN (SELECT l.link_id
      FROM json_each(${observedJson}) AS seen CROSS JOIN local_conversations AS c CROSS JOIN conversation_links AS l
      WHERE c.platform = seen.value->>'platform' AND c.remote_conversation_id = seen.value->>'remote_conversation_id'
        AND l.local_conversation_id = c.local_conversation_id AND l.client_id = ${clientId}
        AND l.is_active = 0 AND l.updated_at <= ${seenAt} AND ${isOfAccount('l', "seen.value->'target_payload'")})`);
}

/**
 * The account of the tab in `seen`, or the only one that its browser reports as signed in there. A link keeps its first one.
 */
function fingerprint(clientId: string): SQL {
  return sql`coalesce(seen.value->'target_payload'->>'account_fingerprint', (SELECT p.value->>'fingerprint' FROM clients AS k, json_each(${storedJson(sql`k.platforms`, '[]')}) AS p
    WHERE k.client_id = ${clientId} AND p.value->>'platform' = seen.value->>'platform'))`;
}

/**
 * The plan that stores what a browser's tabs show. The projector looks again at conversations whose newest message only
 * lacked a link, and a job that failed for want of a deliverable link is redriven, once. `ageMs`: how long ago that was
 * seen, by the clock of its node. A link that was taken back since then stays so.
 */
export async function observeLinks(edge: Edge, seen: BrowserObservations, ageMs = 0): Promise<Plan> {
  const { db, now } = edge;
  const links = seen.tabs.flatMap((tab) => observedLink(tab.platform, seen.client_id, tab, now) ?? []);
  if (links.length === 0) return {};
  const redriven = await redriveLinked(edge, links);
  const json = JSON.stringify(links.map((link) => ({ ...link, link_id: newId('link', now) })));
  return {
    statements: [
      ...insertRows(
        db,
        local_conversations,
        links.map((link) => unseenConversation(link, now)),
        sql`ON CONFLICT (platform, remote_conversation_id) DO NOTHING`,
      ),
      renewLinks(edge, seen.client_id, json, now - ageMs),
      db.run(sql`INSERT INTO conversation_links (link_id, local_conversation_id, client_id, controller_id, is_active,
          created_at, updated_at, fingerprint, ${columns})
        SELECT seen.value->>'link_id', c.local_conversation_id, ${seen.client_id}, ${seen.controller_id}, 1,
          ${now}, ${now}, ${fingerprint(seen.client_id)}, ${fromJson}
        FROM json_each(${json}) AS seen CROSS JOIN local_conversations AS c
        WHERE c.platform = seen.value->>'platform' AND c.remote_conversation_id = seen.value->>'remote_conversation_id'
        ON CONFLICT (local_conversation_id, client_id)
        DO UPDATE SET controller_id = excluded.controller_id, updated_at = excluded.updated_at,
          failed_at = NULL, fingerprint = coalesce(conversation_links.fingerprint, excluded.fingerprint), ${fromExcluded}
        WHERE conversation_links.is_active = 1 AND excluded.observed_at > conversation_links.observed_at
          AND ${isOfAccount('conversation_links', 'excluded.target_payload')} AND ${HAS_NEWS}`),
      projectAgainWhenLinked(db, json, now),
      ...stepStatements(edge, redriven),
    ],
    ...(redriven.length === 0 ? {} : { after: () => timedJobs(edge.env).due(now) }),
  };
}

function unseenConversation({ platform, remote_conversation_id, page_title: title }: ObservedLink, now: number) {
  const local_conversation_id = newId('conversation', now);
  return newConversation({ local_conversation_id, platform, remote_conversation_id, title }, now);
}

/** The steps of failed jobs that one of these links makes deliverable. */
async function redriveLinked({ db, now }: Edge, links: readonly ObservedLink[]): Promise<StoredStep[]> {
  const failed = await failedJobsOf(db, links);
  const steps = failed.flatMap((job): StoredStep[] => {
    const link = links[job.link_at];
    const redriven = link === undefined ? null : redriveLinkedJob(job, { link, newest: true }, now);
    return redriven === null ? [] : [{ job, ...redriven, requires: 'newest' }];
  });
  // Two tabs of one conversation redrive its job once.
  return [...new Map(steps.map((step) => [step.job.job_id, step])).values()];
}
