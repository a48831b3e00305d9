/** One node: how it is, its browsers, what it runs, and draining it. */
import type { NodeView } from '../../../../schema/contracts/nodes.ts';
import { NodeViewSchema } from '../../../../schema/contracts/nodes.ts';
import { NodeDrainResponseSchema } from '../../../../schema/contracts/tasks.ts';
import { makeVisibleLine, visibleJson } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { useRead, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Detail } from '../../parts/detail.tsx';
import { Card, Facts, Heading, Moment, Nothing, Pill, When } from '../../parts/parts.tsx';
import { knownWord, t } from '../../texts/texts.ts';
import type { PanelProps } from '../panel.ts';
import { Contact, NodeState } from './node-state.tsx';

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
          [t('role'), node.role === 'primary' ? t('node_preferred') : null],
          [t('priority'), node.priority],
          [t('version'), node.version],
          ...Object.entries(node.metadata).map(
            ([name, value]) => [knownWord(['metadata'], name) ?? makeVisibleLine(name), visibleJson(value)] as const,
          ),
          [t('started'), node.started_at === null ? null : <Moment at={node.started_at} />],
          [t('contact'), <Contact key="h" node={node} />],
          [t('created'), <Moment key="c" at={node.created_at} />],
        ]}
      />
    </Card>
  );
}

function Runs({ node }: { node: NodeView }) {
  return (
    <Card title={t('runs_now')} id="runs">
      {node.live_runs.length === 0 ? <Nothing>{t('runs_nothing')}</Nothing> : null}
      <ul class="lines">
        {node.live_runs.map(({ run_id, task_id, task_title, step_name }) => (
          <li key={run_id}>
            <Pill tone="busy">{t('task')}</Pill>
            <a href={`/tasks/${task_id}`}>{makeVisibleLine(task_title)}</a>
            <span class="note">{makeVisibleLine(step_name)}</span>
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
