import { PLATFORMS } from '../../schema/contracts/common.ts';
import type { PeopleClient } from '../overlay/client.ts';
import { Section } from '../overlay/parts.tsx';
import type { Translate } from '../overlay/texts.ts';
import type { PeopleView, SiteSetting } from '../people-messages.ts';
import { Outcome, Switch, useProgress } from './forms.tsx';

interface Props {
  client: PeopleClient;
  view: PeopleView;
  t: Translate;
  /** Asks Firefox for the permission to see these pages; it has to follow a press of a person at once. */
  askFor: (origins: string[]) => Promise<boolean>;
}

export function SitesSection({ client, view, t, askFor }: Props) {
  return (
    <Section title={t('options_sites')} id="sites">
      <ul class="lines">
        {view.sites.map((site) => (
          <SiteRow key={site.platform} site={site} client={client} t={t} askFor={askFor} />
        ))}
      </ul>
    </Section>
  );
}

function SiteRow({ site, client, t, askFor }: Omit<Props, 'view'> & { site: SiteSetting }) {
  const { platform, isOn, isPermitted } = site;
  const { host } = new URL(PLATFORMS[platform].home_url);
  const { progress, run } = useProgress(t);
  const permit = async () => {
    await askFor([`https://${host}/*`]);
    return client.change({ set: 'check_permissions' });
  };
  return (
    <li>
      <div class="site">
        <Switch
          label={host}
          isOn={isOn}
          progress={progress}
          onPress={() => void run(() => client.change({ set: 'site', platform, isOn: !isOn }), 'options_saved')}
        />
        {isPermitted ? null : (
          <button type="button" class="primary" onClick={() => void run(permit, 'options_saved')}>
            {t('site_permit', host)}
          </button>
        )}
      </div>
      {isPermitted ? null : <p class="problem">{t('site_not_permitted')}</p>}
      <Outcome progress={progress} id={`site-${platform}-outcome`} />
    </li>
  );
}
