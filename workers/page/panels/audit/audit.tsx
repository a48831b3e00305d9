/** Who changed what, and when. */
import type { AuditEntry } from '../../../../schema/contracts/audit.ts';
import { AuditEntrySchema } from '../../../../schema/contracts/audit.ts';
import { pageOf } from '../../../../schema/contracts/common.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { withQuery } from '../../page-context.ts';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Heading, Id, When } from '../../parts/parts.tsx';
import { addressOfId } from '../../shell/id-address.ts';
import { t, word } from '../../texts/texts.ts';

const PageSchema = pageOf(AuditEntrySchema);

function Subject({ id }: { id: string | null }) {
  const address = id === null ? null : addressOfId(id);
  if (id === null) return null;
  return address === null ? (
    <code>{id}</code>
  ) : (
    <a class="id" href={address}>
      {id}
    </a>
  );
}

export default function Audit() {
  const columns: Column<AuditEntry>[] = [
    { name: t('when'), kind: 'tight', cell: ({ at }) => <When at={at} isExact /> },
    {
      name: t('who'),
      cell: ({ actor, role }) => (
        <>
          {makeVisibleLine(actor)} <span class="faint">{word('role', role)}</span>
        </>
      ),
    },
    { name: t('what'), cell: ({ action }) => <code>{action}</code> },
    { name: t('subject'), cell: ({ subject_id }) => <Subject id={subject_id} /> },
    {
      name: t('request'),
      kind: 'tight',
      // The filter finds the entry, however old it is by then.
      cell: ({ request_id, seq }) => <Id id={request_id} href={`${withQuery('/audit', { request_id })}#${seq}`} />,
    },
  ];
  return (
    <>
      <Heading title={t('nav_audit')} />
      <List
        path="/v1/audit"
        schema={PageSchema}
        isAddressed
        topics={[]}
        everyMs={10_000}
        columns={columns}
        keyOf={(row) => String(row.seq)}
        empty={t('no_audit')}
        filters={[
          { name: 'actor', label: t('who') },
          { name: 'action', label: t('what'), placeholder: 'POST /v1/…' },
          { name: 'subject_id', label: t('subject') },
          { name: 'request_id', label: t('request') },
        ]}
      />
    </>
  );
}
