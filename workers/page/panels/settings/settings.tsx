/** Templates and limits of renewals: for all conversations, a site, or one conversation. */
import { useLocation } from 'preact-iso/router';
import { PLATFORM_IDS } from '../../../../schema/contracts/common.ts';
import { SettingsResponseSchema } from '../../../../schema/contracts/renewal-settings.ts';
import { useRead, useRights, withQuery } from '../../page-context.ts';
import { Heading, Shown } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import type { Scope } from './draft.ts';
import { NoticeSettings } from './notices.tsx';
import { PageNotices } from './page-notices.tsx';
import { SettingsForm } from './settings-form.tsx';

/** The scope of the address. */
function scopeOf({ platform, conversation }: Readonly<Record<string, string | undefined>>): Scope {
  if (conversation !== undefined && conversation !== '') return { local_conversation_id: conversation };
  const known = PLATFORM_IDS.find((id) => id === platform);
  return known === undefined ? {} : { platform: known };
}

export default function Settings() {
  const { query, route } = useLocation();
  const { isOperator } = useRights();
  const scope = scopeOf(query);
  const read = useRead(withQuery('/v1/renewal/settings', { ...scope }), SettingsResponseSchema, [
    'renewal',
    'conversations',
  ]);
  const choose = (value: string): void => route(withQuery('/settings', { platform: value }), true);
  return (
    <>
      <Heading title={t('nav_settings')} />
      <p class="note">{t('settings_about')}</p>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <p>
          <label for="scope">{t('settings_for')}</label>
          <select
            id="scope"
            value={scope.local_conversation_id ?? scope.platform ?? ''}
            onChange={(event) => choose(event.currentTarget.value)}
          >
            <option value="">{t('scope_default')}</option>
            {PLATFORM_IDS.map((platform) => (
              <option key={platform} value={platform}>
                {word('platform', platform)}
              </option>
            ))}
            {scope.local_conversation_id === undefined ? null : (
              <option value={scope.local_conversation_id}>
                {t('scope_conversation', { id: scope.local_conversation_id })}
              </option>
            )}
          </select>
        </p>
      </form>
      <Shown of={read}>
        {(settings) => <SettingsForm key={JSON.stringify(scope)} scope={scope} settings={settings} />}
      </Shown>
      <PageNotices />
      {isOperator ? <NoticeSettings /> : null}
    </>
  );
}
