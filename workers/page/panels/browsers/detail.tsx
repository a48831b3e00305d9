/** One browser: its logins, its slots, the breaker and the pace on each site, and resuming it after a stop. */
import { ClientResumeResponseSchema } from '../../../../schema/contracts/clients.ts';
import { pageOf } from '../../../../schema/contracts/common.ts';
import { LinkSchema } from '../../../../schema/contracts/conversations.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { usePage, useRead, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Detail, Missing } from '../../parts/detail.tsx';
import { Card, Facts, Heading, Nothing, Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import type { PanelProps } from '../panel.ts';
import { LOGIN_TONES } from './logins.tsx';
import type { Browser, Target } from './read-browsers.ts';
import { useBrowser } from './read-browsers.ts';
import { slotFacts } from './slot-facts.ts';

const LinksSchema = pageOf(LinkSchema);

export default function BrowserPanel({ id }: PanelProps) {
  const name = { kind: 'found_browser', id, list: { href: '/browsers', name: 'nav_browsers' } } as const;
  return (
    <Detail of={useBrowser(id)} name={name}>
      {({ clients, policy }) => {
        const browser = clients.find(({ client_id }) => client_id === id);
        if (browser === undefined) return <Missing {...name} />;
        return (
          <>
            <Heading above={<a href="/browsers">{t('nav_browsers')}</a>} title={browser.client_id}>
              <Pill tone={browser.connected ? 'good' : 'calm'}>
                {t(browser.connected ? 'connected' : 'not_connected')}
              </Pill>
              <a href={`/nodes/${encodeURIComponent(browser.controller_id)}`}>{browser.controller_id}</a>
            </Heading>
            <div class="tiles">
              {browser.platforms.map((platform) => (
                <Site
                  key={platform.platform}
                  browser={browser}
                  platform={platform}
                  target={policy.targets.find((one) => one.client_id === id && one.platform === platform.platform)}
                />
              ))}
            </div>
            <Tabs clientId={id} />
          </>
        );
      }}
    </Detail>
  );
}

interface SiteProps {
  browser: Browser;
  platform: Browser['platforms'][number];
  target: Target | undefined;
}

function Site({ browser, platform: { platform, login, stopped_reason, hooks }, target }: SiteProps) {
  const { canAct } = useRights();
  const { format } = usePage();
  const resume = () =>
    callEdge(`/v1/browser/clients/${encodeURIComponent(browser.client_id)}/resume`, ClientResumeResponseSchema, {
      method: 'POST',
      body: { platform },
    });
  return (
    <Card
      title={word('platform', platform)}
      id={`site-${platform}`}
      {...(stopped_reason !== null && { tone: 'wait' as const })}
    >
      <p class="line">
        <Pill tone={LOGIN_TONES[login]}>{word('login', login)}</Pill>
        {stopped_reason === null ? null : <Pill tone="bad">{word('reason', stopped_reason)}</Pill>}
      </p>
      {stopped_reason !== null && canAct ? (
        <p class="buttons">
          <Act label={t('resume')} kind="primary" run={resume} done={t('browser_resumed')} />
        </p>
      ) : null}
      <Facts
        of={[
          ...(target === undefined
            ? []
            : slotFacts(target, format, Date.now()).map(([name, text]) => [t(name), text] as const)),
          [t('hooks'), hooks.length === 0 ? t('none') : hooks.map(({ endpoint }) => endpoint).join(', ')],
        ]}
      />
    </Card>
  );
}

function Tabs({ clientId }: { clientId: string }) {
  const path = `/v1/renewal/links?client_id=${encodeURIComponent(clientId)}&limit=50`;
  const links =
    useRead(path, LinksSchema, ['clients', 'conversations']).data?.items.filter(({ is_active }) => is_active) ?? [];
  return (
    <Card title={t('tabs')} id="tabs">
      {links.length === 0 ? <Nothing>{t('no_tabs')}</Nothing> : null}
      <ul class="lines">
        {links.map((link) => (
          <li key={link.link_id}>
            <Pill tone="calm">{word('platform', link.platform)}</Pill>
            <a href={`/conversations/${link.local_conversation_id}`}>
              {makeVisibleLine(link.page_title ?? link.remote_conversation_id)}
            </a>
            <span class="note">
              <When at={link.observed_at} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
