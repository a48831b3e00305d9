/** One run: an attempt at a step, with its own log. */
import { RunDetailSchema } from '../../../../schema/contracts/runs.ts';
import { makeVisible } from '../../../../schema/domain/visible.ts';
import { usePage, useRead } from '../../page-context.ts';
import { Detail } from '../../parts/detail.tsx';
import { Log } from '../../parts/log.tsx';
import { Card, Facts, Heading, Status, When } from '../../parts/parts.tsx';
import { RUN_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import type { PanelProps } from '../panel.ts';
import { Checkpoints } from './checkpoints.tsx';

export default function RunPanel({ id }: PanelProps) {
  const { format } = usePage();
  const read = useRead(`/v1/runs/${encodeURIComponent(id)}`, RunDetailSchema, ['runs', 'tasks']);
  return (
    <Detail of={read} name={{ kind: 'found_run', id, list: { href: '/tasks', name: 'nav_tasks' } }}>
      {(run) => (
        <>
          <Heading
            above={<a href={`/tasks/${run.task_id}`}>{run.task_id}</a>}
            title={t('attempt_n', { n: run.attempt })}
          >
            <Status kind="run" value={run.status} tone={RUN_TONES[run.status]} />
          </Heading>
          <Log path={`/v1/runs/${encodeURIComponent(id)}/logs`} />
          <div class="columns">
            <Card title={t('result')} id="result">
              <Facts
                of={[
                  [t('result'), makeVisible(run.summary ?? run.progress ?? '')],
                  [
                    t('error'),
                    run.error_code === null
                      ? null
                      : makeVisible([word('reason', run.error_code), run.error_text].filter(Boolean).join(': ')),
                  ],
                  [t('exit_code'), run.exit_code],
                  [
                    t('node'),
                    <a key="n" href={`/nodes/${encodeURIComponent(run.controller_id)}`}>
                      {run.controller_id}
                    </a>,
                  ],
                  [t('started'), run.started_at === null ? null : <When at={run.started_at} />],
                  [t('finished'), run.finished_at === null ? null : <When at={run.finished_at} />],
                  [t('deadline'), run.deadline_at === null ? null : <When at={run.deadline_at} />],
                  ['stdout', format.bytes(run.log.stdout.bytes)],
                  ['stderr', format.bytes(run.log.stderr.bytes)],
                  [t('session'), run.session_id],
                  [t('id'), <code key="i">{run.run_id}</code>],
                ]}
              />
            </Card>
            <Checkpoints runs={[run]} />
          </div>
        </>
      )}
    </Detail>
  );
}
