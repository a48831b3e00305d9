/** An interrupted instruction: a person says whether it took effect, with how they know. */
import { useState } from 'preact/hooks';
import type { Resolution } from '../../../../schema/contracts/instructions.ts';
import { InstructionSchema } from '../../../../schema/contracts/instructions.ts';
import { callEdge } from '../../api/client.ts';
import { useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Card } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';
import type { InstructionDetail } from './instruction-detail.ts';

export function Resolve({ instruction: { instruction_id, status } }: { instruction: InstructionDetail }) {
  const { canAct } = useRights();
  const [note, setNote] = useState('');
  if (!canAct || status !== 'interrupted') return null;
  const say = (outcome: Resolution['outcome']) => () =>
    callEdge(`/v1/instructions/${instruction_id}/resolve`, InstructionSchema, {
      method: 'POST',
      body: { outcome, note: note.trim() },
    });
  const isDisabled = note.trim() === '';
  const ask = (outcome: Resolution['outcome']) => {
    const label = t(outcome === 'done' ? 'resolve_done' : 'resolve_not_done');
    const question = { title: label, text: t('resolve_means') };
    return (
      <Act label={label} run={say(outcome)} done={t('resolve_said')} question={question} isDisabled={isDisabled} />
    );
  };
  return (
    <Card title={t('resolve_question')} id="resolve" tone="wait">
      <p class="prose">{t('resolve_about')}</p>
      <p class="note">{t('resolve_check', { command: `conductor instructions resolve ${instruction_id} --check` })}</p>
      <p class="field">
        <label for="resolve-note">{t('resolve_note')}</label>
        <textarea
          id="resolve-note"
          rows={2}
          maxLength={2_000}
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
        <span class="note">{t('resolve_note_needed')}</span>
      </p>
      <p class="buttons">
        {ask('not_done')}
        {ask('done')}
      </p>
    </Card>
  );
}

/** What a person has said, in one line. */
export function resolutionText({ resolution }: InstructionDetail): string | null {
  if (resolution === null || resolution === undefined) return null;
  const { outcome, note, by } = resolution;
  return t(outcome === 'done' ? 'resolution_done' : 'resolution_not_done', { note, by });
}
