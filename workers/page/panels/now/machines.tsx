/** Nodes and browsers in one line each. */
import type { Status } from '../../../../schema/contracts/status.ts';
import { Card, Nothing, Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { Logins } from '../browsers/logins.tsx';

export function Machines({ status: { nodes, clients, lease } }: { status: Status }) {
  return (
    <>
      <Card title={t('nav_nodes')} id="now-nodes">
        {nodes.length === 0 ? <Nothing>{t('no_nodes')}</Nothing> : null}
        <ul class="lines">
          {nodes.map(({ controller_id, host, presence, status, version, draining }) => (
            <li key={controller_id}>
              <Pill tone={presence.connected ? 'good' : 'bad'}>
                {t(presence.connected ? 'connected' : 'not_connected')}
              </Pill>
              <a href={`/nodes/${encodeURIComponent(controller_id)}`}>{controller_id}</a>
              <span class="note">
                {[
                  lease.holder_id === controller_id ? t('leads') : word('node', status),
                  draining ? t('node_draining') : '',
                  host,
                  version,
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </span>
            </li>
          ))}
        </ul>
      </Card>
      <Card title={t('nav_browsers')} id="now-browsers">
        {clients.length === 0 ? <Nothing>{t('no_browsers')}</Nothing> : null}
        <ul class="lines">
          {clients.map(({ client_id, connected, platforms, updated_at }) => (
            <li key={client_id}>
              <Pill tone={connected ? 'good' : 'calm'}>{t(connected ? 'connected' : 'not_connected')}</Pill>
              <a href={`/browsers/${encodeURIComponent(client_id)}`}>{client_id}</a>
              <Logins platforms={platforms}>{connected ? null : <When at={updated_at} />}</Logins>
            </li>
          ))}
        </ul>
      </Card>
    </>
  );
}
