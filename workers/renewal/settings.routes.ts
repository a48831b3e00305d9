/** Templates and limits of renewal: what a scope sets itself, and what applies in it. */
import {
  SettingsPutBodySchema,
  SettingsResponseSchema,
  SettingsScopeSchema,
} from '../../schema/contracts/renewal-settings.ts';
import { parse } from '../http/parse.ts';
import type { MountedRoute } from '../http/route.ts';
import { PEOPLE, READERS, read, write } from '../http/route.ts';
import { changeSettings, settingsIn } from './settings.ts';

const tag = 'renewal';
const path = '/v1/renewal/settings';

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
    async ({ db, query }) => settingsIn(db, query),
  ),
  write(
    {
      method: 'put',
      path,
      summary: 'Replace what a scope sets itself; what it leaves out comes from the scope around it',
      tag,
      roles: PEOPLE,
      body: SettingsPutBodySchema,
      data: SettingsResponseSchema,
      errors: ['conversation_not_found'],
    },
    async (call) => {
      const { settings, ...scope } = call.body;
      return changeSettings(call, parse(SettingsScopeSchema, scope, 'body'), settings);
    },
  ),
];
