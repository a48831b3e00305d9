/** The journal of instructions. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { Instruction } from '../../../../schema/contracts/instructions.ts';
import { INSTRUCTION_STATES, InstructionSchema } from '../../../../schema/contracts/instructions.ts';
import { callName } from '../../../../schema/contracts/tools.ts';
import { briefParams } from '../../../../schema/domain/brief-params.ts';
import { usePage, useRights } from '../../page-context.ts';
import { reasonOf } from '../../parts/instruction-line.tsx';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Heading, Id, Status, When } from '../../parts/parts.tsx';
import { INSTRUCTION_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';

const PageSchema = pageOf(InstructionSchema);
export default function Instructions() {
  const { format } = usePage();
  const { canAct } = useRights();
  const columns: Column<Instruction>[] = [
    {
      name: t('instruction'),
      cell: ({ instruction_id, target, tool, params }) => (
        <>
          <a href={`/instructions/${instruction_id}`}>{callName(target, tool)}</a>{' '}
          <code class="faint">{briefParams(params)}</code>
        </>
      ),
    },
    {
      name: t('status'),
      kind: 'tight',
      cell: ({ status }) => <Status kind="instruction" value={status} tone={INSTRUCTION_TONES[status]} />,
    },
    {
      name: t('why'),
      cell: reasonOf,
    },
    {
      name: t('took'),
      kind: 'end',
      cell: ({ duration_ms }) => (duration_ms === null ? '' : format.exactSpan(duration_ms)),
    },
    {
      name: t('node'),
      kind: 'tight',
      cell: ({ controller_id: id }) => <a href={`/nodes/${encodeURIComponent(id)}`}>{id}</a>,
    },
    { name: t('came'), kind: 'tight', cell: ({ created_at }) => <When at={created_at} /> },
    { name: t('id'), kind: 'tight', cell: ({ instruction_id: id }) => <Id id={id} href={`/instructions/${id}`} /> },
  ];
  return (
    <>
      <Heading title={t('nav_instructions')}>{canAct ? <a href="/grants">{t('grants')}</a> : null}</Heading>
      <List
        path="/v1/instructions"
        schema={PageSchema}
        topics={['instructions', 'messages']}
        columns={columns}
        keyOf={(row) => row.instruction_id}
        empty={t('no_such_instructions')}
        filters={[
          {
            name: 'status',
            label: t('status'),
            options: INSTRUCTION_STATES.map((status) => [status, word('instruction', status)] as const),
          },
          { name: 'local_conversation_id', label: t('conversation'), placeholder: 'lc_…' },
        ]}
      />
    </>
  );
}
