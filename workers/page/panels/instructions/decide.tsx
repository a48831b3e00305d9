/** Approve or deny, on exactly the bytes that would run. */
import { useEffect, useState } from 'preact/hooks';
import { InstructionSchema } from '../../../../schema/contracts/instructions.ts';
import { callEdge } from '../../api/client.ts';
import { useNow, usePage, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { ExactBytes } from '../../parts/bytes.tsx';
import { Card, Facts } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';
import { GrantForm, PolicyLine } from './grant-form.tsx';
import type { InstructionDetail } from './instruction-detail.ts';

/** A press that was meant for what was there before must not approve what has just come. */
const READ_MS = 700;

export function Decide({ instruction, readAt }: { instruction: InstructionDetail; readAt: number }) {
  const { canAct } = useRights();
  const { format } = usePage();
  const now = useNow();
  const { approval, approval_expires_in_ms: leftMs, instruction_id, status } = instruction;
  const hash = approval?.approval_hash ?? null;
  const isRead = useShownFor(hash);
  if (status !== 'awaiting_approval') return null;
  if (approval === null || approval === undefined) return <p class="banner wait">{t('approval_coming')}</p>;
  const decide = (name: 'approve' | 'deny') => () =>
    callEdge(`/v1/instructions/${instruction_id}/${name}`, InstructionSchema, {
      method: 'POST',
      body: { approval_hash: approval.approval_hash },
    });
  const left = leftMs === null || leftMs === undefined ? null : readAt + leftMs - now;
  return (
    <Card
      title={t('approve_question')}
      id="approve"
      tone="wait"
      note={left === null ? undefined : t('expires_in', { span: format.span(left) })}
    >
      <ExactBytes text={approval.display} label={t('approval_bytes')} />
      <Facts
        of={[
          [t('folder'), approval.cwd],
          [t('environment'), approval.env_names.join(', ')],
          [t('files'), Object.keys(approval.file_hashes).join(', ')],
          [t('approval_hash'), <code key="h">{approval.approval_hash.slice(0, 16)}…</code>],
        ]}
      />
      {canAct ? (
        <p class="buttons">
          <span class="note">{t('approve_note')}</span>
          <Act label={t('deny')} run={decide('deny')} done={t('denied')} />
          <Act label={t('approve')} kind="primary" run={decide('approve')} done={t('approved')} isDisabled={!isRead} />
        </p>
      ) : null}
      <PolicyLine instruction={instruction} />
      {canAct && instruction.platform !== undefined ? (
        <GrantForm key={approval.approval_hash} instruction={instruction} />
      ) : null}
    </Card>
  );
}

/** Whether the same thing has been on the screen for long enough to be read. */
function useShownFor(what: string | null): boolean {
  const [read, setRead] = useState<string | null>(null);
  useEffect(() => {
    if (what === null) return undefined;
    const begin = () => setTimeout(() => setRead(what), READ_MS);
    let timer = begin();
    // A window that comes to the front under a press begins again.
    const onFocus = (): void => {
      clearTimeout(timer);
      setRead(null);
      timer = begin();
    };
    addEventListener('focus', onFocus);
    return () => {
      clearTimeout(timer);
      removeEventListener('focus', onFocus);
    };
  }, [what]);
  return what !== null && read === what;
}
