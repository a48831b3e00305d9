/** One renewal: its text, where it was sent, and its attempts on a time axis. */
import type { JobAttempt, RenewalJob } from '../../../../schema/contracts/renewal.ts';
import { RenewalJobSchema } from '../../../../schema/contracts/renewal.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { useRead, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import type { AxisRow } from '../../parts/axis.tsx';
import { Axis } from '../../parts/axis.tsx';
import { Output } from '../../parts/bytes.tsx';
import { Detail } from '../../parts/detail.tsx';
import { Card, Facts, Heading, Moment, Pill, Status, When } from '../../parts/parts.tsx';
import { ATTEMPT_TONES, JOB_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import type { PanelProps } from '../panel.ts';

export default function RenewalPanel({ id }: PanelProps) {
  const read = useRead(`/v1/renewal/jobs/${encodeURIComponent(id)}`, RenewalJobSchema, ['renewal']);
  return (
    <Detail of={read} name={{ kind: 'found_renewal', id, list: { href: '/renewals', name: 'nav_renewals' } }}>
      {(job) => (
        <>
          <Heading
            above={<a href="/renewals">{t('nav_renewals')}</a>}
            title={makeVisibleLine(job.target_snapshot?.page_title ?? job.local_conversation_id)}
          >
            <Status kind="job" value={job.status} tone={JOB_TONES[job.status]} />
            <Actions job={job} />
          </Heading>
          <Card title={t('axis')} id="axis">
            <Axis rows={rowsOf(job)} />
          </Card>
          <div class="columns">
            <Card title={t('text_sent')} id="text">
              <Output text={job.payload_text ?? job.payload} label={t('text_sent')} />
            </Card>
            <About job={job} />
          </div>
        </>
      )}
    </Detail>
  );
}

/** When it waited, and each attempt. A job from before its attempts were kept has one bar for all. */
function rowsOf(job: RenewalJob): AxisRow[] {
  const { created_at, started_at, finished_at, last_attempt_at, status, attempt_count, max_attempts, attempts } = job;
  const begun = attempts[0]?.started_at ?? started_at ?? last_attempt_at;
  const waiting = {
    key: 'wait',
    start: created_at,
    end: begun ?? finished_at,
    tone: 'calm' as const,
    title: t('axis_waiting'),
  };
  const rows: AxisRow[] = [{ key: 'wait', name: t('axis_waiting'), note: <When at={created_at} />, spans: [waiting] }];
  if (begun === null) return rows;
  if (attempts.length > 0) return [...rows, ...attempts.map(rowOfAttempt)];
  const end = finished_at ?? (status === 'running' ? null : last_attempt_at);
  rows.push({
    key: 'attempts',
    name: t('axis_attempts'),
    note: t('attempt_of', { attempt: attempt_count, max: max_attempts }),
    spans: [{ key: 'a', start: begun, end, tone: JOB_TONES[status], title: word('job', status) }],
  });
  return rows;
}

function rowOfAttempt({ attempt, started_at, ended_at, client_id, outcome, error }: JobAttempt): AxisRow {
  const result = outcome === null ? word('job', 'running') : word('outcome', outcome);
  const why = error === null ? '' : word('reason', error);
  const tone = outcome === null ? ('busy' as const) : ATTEMPT_TONES[outcome];
  return {
    key: String(started_at),
    name: t('axis_attempt', { n: attempt }),
    note: (
      <>
        <Pill tone={tone}>{result}</Pill> {why} <When at={started_at} isExact />{' '}
        {client_id === null ? null : <a href={`/browsers/${encodeURIComponent(client_id)}`}>{client_id}</a>}
      </>
    ),
    spans: [{ key: 'a', start: started_at, end: ended_at, tone, title: why === '' ? result : `${result}: ${why}` }],
  };
}

function Actions({ job: { job_id, status } }: { job: RenewalJob }) {
  const { canAct } = useRights();
  const post = (name: string) => () =>
    callEdge(`/v1/renewal/jobs/${job_id}/${name}`, RenewalJobSchema, { method: 'POST', body: {} });
  if (!canAct) return null;
  return (
    <>
      {status === 'failed' ? <Act label={t('retry')} run={post('retry')} done={t('job_retried')} /> : null}
      {status === 'pending' ? (
        <Act
          label={t('cancel')}
          kind="danger"
          run={post('cancel')}
          done={t('job_canceled_done')}
          question={{ title: t('cancel_job'), text: t('cancel_job_means') }}
        />
      ) : null}
    </>
  );
}

function About({ job }: { job: RenewalJob }) {
  const target = job.target_snapshot;
  return (
    <Card title={t('renewal')} id="renewal">
      <Facts
        of={[
          [t('why'), job.last_error === null ? null : word('reason', job.last_error)],
          [t('attempts'), t('used_of', { used: job.attempt_count, max: job.max_attempts })],
          [
            t('next_attempt'),
            job.status === 'pending' && job.next_attempt_at !== null ? <Moment at={job.next_attempt_at} /> : null,
          ],
          [t('deadline'), job.deadline_at === null ? null : <Moment at={job.deadline_at} />],
          [t('started'), job.started_at === null ? null : <Moment at={job.started_at} />],
          [t('finished'), job.finished_at === null ? null : <Moment at={job.finished_at} />],
          [
            t('browser'),
            target && <a href={`/browsers/${encodeURIComponent(target.client_id)}`}>{target.client_id}</a>,
          ],
          [
            t('sent_to'),
            target && (
              <a href={target.page_url} rel="noreferrer" target="_blank">
                {target.page_url}
              </a>
            ),
          ],
          [
            t('conversation'),
            <a key="c" href={`/conversations/${job.local_conversation_id}`}>
              {job.local_conversation_id}
            </a>,
          ],
          [
            t('message'),
            <a key="m" href={`/messages/${job.message_id}`}>
              {job.message_id}
            </a>,
          ],
          [t('id'), <code key="i">{job.job_id}</code>],
        ]}
      />
    </Card>
  );
}
