/** What the runs of a task have recorded: summaries, ends of logs, patches, results of tests. */
import { useState } from 'preact/hooks';
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { Checkpoint, Run } from '../../../../schema/contracts/runs.ts';
import { CheckpointDetailSchema, CheckpointSchema } from '../../../../schema/contracts/runs.ts';
import type { Step } from '../../../../schema/contracts/tasks.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { usePage, useRead } from '../../page-context.ts';
import { Output } from '../../parts/bytes.tsx';
import { Card, Nothing, Shown, When } from '../../parts/parts.tsx';
import { Patch } from '../../parts/patch.tsx';
import { t, word } from '../../texts/texts.ts';

const PageSchema = pageOf(CheckpointSchema);
/** Runs whose checkpoints are listed at first. */
const NEWEST_RUNS = 4;

/** With the name of the step above those of each run, where the runs are of several steps. */
export function Checkpoints({ runs, steps = [] }: { runs: readonly Run[]; steps?: readonly Step[] }) {
  const withSome = runs
    .filter(({ checkpoint_seq }) => checkpoint_seq > 0)
    .slice(-NEWEST_RUNS)
    .reverse();
  return (
    <Card title={t('checkpoints')} id="checkpoints">
      {withSome.length === 0 ? <Nothing>{t('no_checkpoints')}</Nothing> : null}
      {withSome.map(({ run_id, step_id, attempt }) => {
        const step = steps.find((one) => one.step_id === step_id);
        return (
          <div key={run_id}>
            {step === undefined ? null : (
              <p class="note">
                <a href={`/runs/${run_id}`}>
                  {makeVisibleLine(step.name)} · {t('attempt_n', { n: attempt })}
                </a>
              </p>
            )}
            <OfRun runId={run_id} />
          </div>
        );
      })}
    </Card>
  );
}

function OfRun({ runId }: { runId: string }) {
  const read = useRead(`/v1/runs/${runId}/checkpoints?limit=50`, PageSchema, ['runs', 'tasks']);
  return (
    <Shown of={read}>
      {({ items }) => (
        <ul class="lines">
          {items.map((one) => (
            <One key={one.seq} of={one} />
          ))}
        </ul>
      )}
    </Shown>
  );
}

function One({ of }: { of: Checkpoint }) {
  const { format } = usePage();
  const [isOpen, setOpen] = useState(false);
  return (
    <li>
      <button
        type="button"
        class="quiet"
        aria-expanded={isOpen}
        aria-label={`${t(isOpen ? 'hide' : 'show')}: ${word('checkpoint', of.type)}`}
        onClick={() => setOpen(!isOpen)}
      >
        {t(isOpen ? 'hide' : 'show')}
      </button>
      <strong>{word('checkpoint', of.type)}</strong>
      <span class="note">
        {format.bytes(of.size)}
        {of.truncated ? ` · ${t('checkpoint_truncated')}` : ''} · <When at={of.created_at} />
      </span>
      {isOpen ? <Content of={of} /> : null}
    </li>
  );
}

function Content({ of: { run_id, seq, type } }: { of: Checkpoint }) {
  const read = useRead(`/v1/runs/${run_id}/checkpoints/${seq}`, CheckpointDetailSchema, []);
  return (
    <div class="whole">
      <Shown of={read}>
        {({ content }) => {
          if (content === null) return <Nothing>{t('checkpoint_gone')}</Nothing>;
          const text = new TextDecoder().decode(Uint8Array.from(atob(content), (char) => char.charCodeAt(0)));
          return type === 'git_diff' ? <Patch text={text} /> : <Output text={text} label={word('checkpoint', type)} />;
        }}
      </Shown>
    </div>
  );
}
