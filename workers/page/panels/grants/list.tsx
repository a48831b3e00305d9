/** The grants: what runs without asking for a while, and revoking that. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { Grant } from '../../../../schema/contracts/grants.ts';
import { GrantSchema } from '../../../../schema/contracts/grants.ts';
import { grantEnd } from '../../../../schema/domain/grant.ts';
import { makeExactLine } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { useNow } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Heading, Id, Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';

const PageSchema = pageOf(GrantSchema);

function State({ grant }: { grant: Grant }) {
  const end = grantEnd(grant, useNow());
  return end === null ? <Pill tone="good">{t('valid')}</Pill> : <Pill tone="calm">{word('end', end)}</Pill>;
}

function Revoke({ grant }: { grant: Grant }) {
  const now = useNow();
  if (grantEnd(grant, now) !== null) return null;
  return (
    <Act
      label={t('revoke')}
      kind="danger"
      run={() => callEdge(`/v1/grants/${grant.grant_id}`, GrantSchema, { method: 'DELETE' })}
      done={t('grant_revoked')}
      question={{ title: t('grant_revoke_question'), text: t('grant_revoke_means') }}
    />
  );
}

const COLUMNS = (): Column<Grant>[] => [
  {
    name: t('grant_argv'),
    cell: ({ argv, further_items: n, folder }) => (
      <div>
        <code>{makeExactLine(JSON.stringify(argv))}</code>{' '}
        <span class="note">{n === 0 ? null : `+ ${t('grant_most', { n })}`}</span>
        <p class="note">
          {t('folder')} <code>{makeExactLine(folder)}</code>
        </p>
      </div>
    ),
  },
  {
    name: t('conversation'),
    kind: 'tight',
    cell: ({ local_conversation_id: id }) => <Id id={id} href={`/conversations/${id}`} />,
  },
  {
    name: t('node'),
    kind: 'tight',
    cell: ({ controller_id: id }) => <a href={`/nodes/${encodeURIComponent(id)}`}>{id}</a>,
  },
  { name: t('grant_used'), kind: 'end', cell: ({ uses, max_uses }) => `${uses} / ${max_uses}` },
  { name: t('status'), kind: 'tight', cell: (grant) => <State grant={grant} /> },
  { name: t('expiry'), kind: 'tight', cell: ({ expires_at }) => <When at={expires_at} /> },
  { name: t('created_by'), kind: 'tight', cell: ({ created_by }) => created_by },
  { name: t('id'), kind: 'tight', cell: ({ grant_id }) => <Id id={grant_id} href={`/grants#${grant_id}`} /> },
  { name: t('actions'), kind: 'tight', cell: (grant) => <Revoke grant={grant} /> },
];

export default function Grants() {
  return (
    <>
      <Heading title={t('grants')} above={<a href="/instructions">{t('nav_instructions')}</a>} />
      <p class="note">{t('grants_about')}</p>
      <List
        path="/v1/grants"
        schema={PageSchema}
        isAddressed
        topics={['grants']}
        columns={COLUMNS()}
        keyOf={(row) => row.grant_id}
        empty={t('no_grants')}
        filters={[{ name: 'local_conversation_id', label: t('conversation'), placeholder: 'lc_…' }]}
      />
    </>
  );
}
