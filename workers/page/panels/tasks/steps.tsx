/** The steps of a task and their runs, on one time axis. */
import type { Run } from '../../../../schema/contracts/runs.ts';
import type { Step, TaskDetail } from '../../../../schema/contracts/tasks.ts';
import { makeVisible, makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { usePage } from '../../page-context.ts';
import type { AxisRow } from '../../parts/axis.tsx';
import { Axis } from '../../parts/axis.tsx';
import type { Format } from '../../parts/format.ts';
import { Status } from '../../parts/parts.tsx';
import { RUN_TONES, STEP_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';

function usageOf({ usage }: Run): string {
  if (usage === null) return '';
  return t('tokens_used', { input: usage.input_tokens ?? 0, output: usage.output_tokens ?? 0 });
}

function noteOf(step: Step, runs: readonly Run[], format: Format): string {
  const last = runs.at(-1);
  if (last === undefined) return t('to_come');
  const { started_at, finished_at, controller_id, exit_code } = last;
  const took = started_at === null || finished_at === null ? '' : format.exactSpan(finished_at - started_at);
  return [
    took,
    controller_id,
    exit_code === null ? '' : `${t('exit_code')} ${exit_code}`,
    usageOf(last),
    step.error_code === null ? '' : word('reason', step.error_code),
  ]
    .filter(Boolean)
    .join(' · ');
}

export function Steps({ task }: { task: TaskDetail }) {
  const { format } = usePage();
  const rows = task.steps.map((step): AxisRow => {
    const runs = task.runs.filter(({ step_id }) => step_id === step.step_id);
    // What a step that waits for a person says is how to decide it on the command line; here there are buttons.
    const said = step.status === 'blocked' && step.kind === 'review' ? null : (step.error_text ?? step.summary);
    return {
      key: step.step_id,
      name: (
        <>
          <Status kind="step" value={step.status} tone={STEP_TONES[step.status]} />{' '}
          <strong>{makeVisibleLine(step.name)}</strong> <span class="faint">{step.kind}</span>
          {said === null ? null : <span class="note block">{makeVisible(said)}</span>}
        </>
      ),
      note: (
        <>
          {noteOf(step, runs, format)}
          {runs.map(({ run_id, attempt }) => (
            <span key={run_id}>
              {' · '}
              <a href={`/runs/${run_id}`}>{t('attempt_n', { n: attempt })}</a>
            </span>
          ))}
        </>
      ),
      spans: runs.map((run) => ({
        key: run.run_id,
        start: run.started_at ?? run.created_at,
        end: run.finished_at,
        tone: RUN_TONES[run.status],
        title: `${t('attempt_n', { n: run.attempt })}: ${word('run', run.status)} · ${run.controller_id}`,
      })),
    };
  });
  return <Axis rows={rows} />;
}
