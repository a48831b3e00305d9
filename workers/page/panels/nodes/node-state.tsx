import type { NodeView } from '../../../../schema/contracts/nodes.ts';
import { usePage } from '../../page-context.ts';
import { Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';

/** When the edge last heard of the node. It reports what has changed; in between its connection shows that it is there. */
export function Contact({
  node: { presence, last_heartbeat_at },
}: {
  node: Pick<NodeView, 'presence' | 'last_heartbeat_at'>;
}) {
  const { format } = usePage();
  if (presence.contact_age_ms === null) return <When at={last_heartbeat_at} />;
  return <>{format.ago(0, presence.contact_age_ms)}</>;
}

/** What the node reported last, and that it is not connected to say otherwise. */
export function NodeState({
  node: { status, presence, draining },
}: {
  node: Pick<NodeView, 'status' | 'presence' | 'draining'>;
}) {
  const { format } = usePage();
  if (!presence.connected) {
    const age = presence.contact_age_ms === null ? '' : ` · ${format.span(presence.contact_age_ms)}`;
    return <Pill tone="bad">{`${t('not_connected')}${age}`}</Pill>;
  }
  return (
    <>
      <Pill tone={status === 'degraded' ? 'bad' : status === 'leader' ? 'good' : 'calm'}>{word('node', status)}</Pill>
      {draining ? <Pill tone="wait">{t('node_draining')}</Pill> : null}
    </>
  );
}
