/** A step that waits for a person: what it asks, and the decision with its reason. */
import { useState } from 'preact/hooks';
import type { Step } from '../../../../schema/contracts/tasks.ts';
import { StepResolvedSchema } from '../../../../schema/contracts/tasks.ts';
import { makeVisible, makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Card } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';

export function ResolveStep({ step }: { step: Step }) {
  const { canAct } = useRights();
  const [note, setNote] = useState('');
  const question = typeof step.input.question === 'string' ? step.input.question : null;
  const resolve = (outcome: 'done' | 'failed') => () =>
    callEdge(`/v1/steps/${step.step_id}/resolve`, StepResolvedSchema, {
      method: 'POST',
      body: { outcome, note: note.trim() },
    });
  const isEmpty = note.trim() === '';
  return (
    <Card title={t('decide_step')} id="decide" tone="wait" note={makeVisibleLine(step.name)}>
      {question === null ? null : <p class="prose">{makeVisible(question)}</p>}
      {step.error_text === null || step.kind === 'review' ? null : <p class="note">{makeVisible(step.error_text)}</p>}
      {canAct ? (
        <>
          <p class="field">
            <label for="note">{t('note_for')}</label>
            <textarea
              id="note"
              rows={2}
              maxLength={2_000}
              value={note}
              onInput={(event) => setNote(event.currentTarget.value)}
            />
            <span class="note">{t('note_needed')}</span>
          </p>
          <p class="buttons">
            <span class="note">{t('step_decision_does')}</span>
            <Act
              label={t('step_is_failed')}
              kind="danger"
              run={resolve('failed')}
              done={t('resolved')}
              isDisabled={isEmpty}
            />
            <Act
              label={t('step_is_done')}
              kind="primary"
              run={resolve('done')}
              done={t('resolved')}
              isDisabled={isEmpty}
            />
          </p>
        </>
      ) : null}
    </Card>
  );
}
