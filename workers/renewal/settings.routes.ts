/** Templates and limits of renewal: what a scope says itself, and what holds in it. */
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { SettingsScope } from '../../schema/contracts/renewal-settings.ts';
import {
  SettingsPutBodySchema,
  SettingsResponseSchema,
  SettingsScopeSchema,
} from '../../schema/contracts/renewal-settings.ts';
import { effectiveSettings } from '../../schema/domain/renewal-limits.ts';
import { AppError } from '../../schema/errors.ts';
import type { Database } from '../db/open.ts';
import { parse } from '../http/parse.ts';
import type { MountedRoute } from '../http/route.ts';
import { PEOPLE, READERS, read, write } from '../http/route.ts';
import { findConversation } from './conversations.ts';
import { lookAgainAtHeld, readSettings, scopeKey, storeSettings } from './settings.ts';

const tag = 'renewal';
const path = '/v1/renewal/settings';

function kindOf({ platform, local_conversation_id }: SettingsScope): 'default' | 'platform' | 'conversation' {
  if (local_conversation_id !== undefined) return 'conversation';
  return platform === undefined ? 'default' : 'platform';
}

/** A conversation is within its platform. Throws `conversation_not_found`. */
async function within(db: Database, { platform, local_conversation_id }: SettingsScope) {
  if (local_conversation_id === undefined) return { platform, local_conversation_id };
  const row = await findConversation(db, local_conversation_id);
  if (row === undefined)
    throw new AppError('conversation_not_found', `there is no conversation ${local_conversation_id}`);
  return { platform: row.platform, local_conversation_id };
}

export const renewalSettings: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path,
      summary: 'Templates and limits: for all conversations, a platform, or one conversation',
      tag,
      roles: READERS,
      query: SettingsScopeSchema,
      data: SettingsResponseSchema,
      errors: ['conversation_not_found'],
    },
    async ({ db, query }) => {
      const { own: settings, effective } = await readSettings(db, await within(db, query));
      return { scope: kindOf(query), settings, effective };
    },
  ),
  write(
    {
      method: 'put',
      path,
      summary: 'Set what that scope says itself, whole; what it leaves out comes from the scope around it',
      tag,
      roles: PEOPLE,
      body: SettingsPutBodySchema,
      data: SettingsResponseSchema,
      errors: ['conversation_not_found'],
    },
    async ({ env, db, now, body: { settings, ...named } }) => {
      const scope = parse(SettingsScopeSchema, named, 'body');
      const place = await within(db, scope);
      const { around } = await readSettings(db, place);
      const key = scopeKey(scope);
      return {
        statements: [storeSettings(db, key, settings, now), ...lookAgainAtHeld(db, scope, now)],
        events: [{ topic: 'renewal', type: 'settings_changed', subject_id: key, data: { ...settings } }],
        subject_id: key,
        response: { scope: kindOf(scope), settings, effective: effectiveSettings([...around, settings]) },
        after: () => timedJobs(env).due(now),
      };
    },
  ),
];
