/** The machines of the system. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { NodeView } from '../../../../schema/contracts/nodes.ts';
import { NODE_STATES, NodeViewSchema } from '../../../../schema/contracts/nodes.ts';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Heading } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { Contact, NodeState } from './node-state.tsx';

const PageSchema = pageOf(NodeViewSchema);
/** Presence is no event. */
const EVERY_MS = 15_000;

export default function Nodes() {
  const columns: Column<NodeView>[] = [
    { name: t('node'), cell: ({ controller_id: id }) => <a href={`/nodes/${encodeURIComponent(id)}`}>{id}</a> },
    { name: t('status'), kind: 'tight', cell: (node) => <NodeState node={node} /> },
    { name: t('host'), cell: ({ host }) => host },
    {
      name: t('nav_browsers'),
      kind: 'end',
      cell: ({ clients }) => clients.filter(({ connected }) => connected).length,
    },
    { name: t('runs_now'), kind: 'end', cell: ({ live_runs }) => live_runs.length },
    { name: t('version'), kind: 'tight', cell: ({ version }) => version ?? '' },
    { name: t('contact'), kind: 'tight', cell: (node) => <Contact node={node} /> },
  ];
  return (
    <>
      <Heading title={t('nav_nodes')} />
      <List
        path="/v1/controllers"
        schema={PageSchema}
        topics={['nodes', 'leader', 'clients', 'runs']}
        columns={columns}
        keyOf={(row) => row.controller_id}
        empty={t('no_nodes')}
        everyMs={EVERY_MS}
        filters={[
          {
            name: 'status',
            label: t('status'),
            options: NODE_STATES.map((one) => [one, word('node', one)] as const),
          },
        ]}
      />
    </>
  );
}
