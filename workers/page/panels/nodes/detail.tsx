/** One node: how it is, its browsers, what it runs, and draining it. */
import type { NodeView } from '../../../../schema/contracts/nodes.ts';
import { NodeViewSchema } from '../../../../schema/contracts/nodes.ts';
import { NodeDrainResponseSchema } from '../../../../schema/contracts/tasks.ts';
import { visibleJson } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { useRead, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Output } from '../../parts/bytes.tsx';
import { Detail } from '../../parts/detail.tsx';
import { Card, Facts, Heading, Nothing, Pill, When } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';
import type { PanelProps } from '../panel.ts';
import { NodeState } from './node-state.tsx';

const EVERY_MS = 15_000;

export default function NodePanel({ id }: PanelProps) {
  const { canAct } = useRights();
  const path = `/v1/controllers/${encodeURIComponent(id)}`;
  const read = useRead(path, NodeViewSchema, ['nodes', 'leader', 'clients', 'runs'], EVERY_MS);
  const drain = (on: boolean) => () =>
    callEdge(`${path}/drain`, NodeDrainResponseSchema, { method: 'POST', body: { on } });
  return (
    <Detail of={read} name={{ kind: 'found_node', id, list: { href: '/nodes', name: 'nav_nodes' } }}>
      {(node) => (
        <>
          <Heading above={<a href="/nodes">{t('nav_nodes')}</a>} title={node.controller_id}>
            <NodeState node={node} />
            {canAct && node.draining ? (
              <Act label={t('stop_draining')} run={drain(false)} done={t('node_claims_again')} />
            ) : null}
            {canAct && !node.draining ? (
              <Act label={t('drain')} run={drain(true)} done={t('node_drains')} hint={t('node_drain_does')} />
            ) : null}
          </Heading>
          <div class="columns">
            <About node={node} />
            <div class="stack">
              <Runs node={node} />
              <Browsers node={node} />
            </div>
          </div>
        </>
      )}
    </Detail>
  );
}

function About({ node }: { node: NodeView }) {
  return (
    <Card title={t('node')} id="node">
      <Facts
        of={[
          [t('host'), node.host],
          [t('role'), node.role],
          [t('priority'), node.priority],
          [t('version'), node.version],
          [t('started'), node.started_at === null ? null : <When at={node.started_at} />],
          [t('heartbeat'), <When key="h" at={node.last_heartbeat_at} />],
          [t('created'), <When key="c" at={node.created_at} />],
        ]}
      />
      {Object.keys(node.metadata).length === 0 ? null : (
        <Output text={visibleJson(node.metadata, 2)} label={t('metadata')} />
      )}
    </Card>
  );
}

function Runs({ node }: { node: NodeView }) {
  return (
    <Card title={t('runs_now')} id="runs">
      {node.live_runs.length === 0 ? <Nothing>{t('runs_nothing')}</Nothing> : null}
      <ul class="lines">
        {node.live_runs.map(({ run_id, task_id }) => (
          <li key={run_id}>
            <Pill tone="busy">{t('task')}</Pill>
            <a href={`/tasks/${task_id}`}>{task_id}</a>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Browsers({ node }: { node: NodeView }) {
  return (
    <Card title={t('nav_browsers')} id="browsers">
      {node.clients.length === 0 ? <Nothing>{t('no_browsers')}</Nothing> : null}
      <ul class="lines">
        {node.clients.map(({ client_id, connected, updated_at }) => (
          <li key={client_id}>
            <Pill tone={connected ? 'good' : 'calm'}>{t(connected ? 'connected' : 'not_connected')}</Pill>
            <a href={`/browsers/${encodeURIComponent(client_id)}`}>{client_id}</a>
            <span class="note">
              <When at={updated_at} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
