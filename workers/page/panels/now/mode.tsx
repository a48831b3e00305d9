/** The mode, who leads, and what each button will do. */
import { useState } from 'preact/hooks';
import { LeaseViewSchema } from '../../../../schema/contracts/leader.ts';
import type { Status } from '../../../../schema/contracts/status.ts';
import type { SystemMode } from '../../../../schema/contracts/system.ts';
import { SystemChangeResponseSchema } from '../../../../schema/contracts/system.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { useNow, usePage, useRead, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Card, Pill, When } from '../../parts/parts.tsx';
import { MODE_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';

/** Renewals of the lease are no events. */
const LEASE_EVERY_MS = 10_000;

function change(name: 'pause' | 'resume' | 'drain', body: object = {}): () => Promise<unknown> {
  return () => callEdge(`/v1/system/${name}`, SystemChangeResponseSchema, { method: 'POST', body });
}

export function Mode({ status }: { status: Status }) {
  const { system } = status;
  const { canAct } = useRights();
  return (
    <Card title={t('system')} id="system">
      <div class="mode">
        <p class="mode-now">
          <Pill tone={MODE_TONES[system.mode]}>{word('mode', system.mode)}</Pill>
          <span>
            {t(`mode_${system.mode}_means`)}
            {system.mode === 'draining' ? ` ${t(system.drained ? 'drained' : 'not_drained')}` : ''}
          </span>
        </p>
        <p class="note">
          {system.since === 0 ? null : (
            <>
              {t('mode_since')} <When at={system.since} />
            </>
          )}
          {system.requested_by === null ? '' : ` · ${t('by', { who: makeVisibleLine(system.requested_by) })}`}
          {system.reason === null ? '' : ` · ${makeVisibleLine(system.reason)}`}
          {system.hold ? ` · ${t('mode_held')}` : ''}
        </p>
        {canAct ? <ModeButtons mode={system.mode} /> : null}
      </div>
      <Leader first={status.lease} />
    </Card>
  );
}

function ModeButtons({ mode }: { mode: SystemMode }) {
  const [interrupt, setInterrupt] = useState(false);
  const [hold, setHold] = useState(false);
  return (
    <ul class="choices">
      {mode === 'running' ? null : (
        <li>
          <Act label={t('resume')} kind="primary" run={change('resume')} done={t('resumed')} />
          <span class="note">{t('resume_does')}</span>
        </li>
      )}
      {mode === 'paused' ? null : (
        <li>
          <Act
            label={t('pause')}
            run={change('pause', { ...(interrupt && { interrupt }), ...(hold && { hold }) })}
            done={t('paused')}
            {...(interrupt && { question: { title: t('pause_question'), text: t('pause_interrupts') } })}
          />
          <span class="note">{t('pause_does')}</span>
          <span class="options">
            <label>
              <input
                type="checkbox"
                checked={interrupt}
                onChange={(event) => setInterrupt(event.currentTarget.checked)}
              />
              {t('pause_interrupt')}
            </label>
            <label>
              <input type="checkbox" checked={hold} onChange={(event) => setHold(event.currentTarget.checked)} />
              {t('pause_hold')}
            </label>
          </span>
        </li>
      )}
      {mode === 'draining' ? null : (
        <li>
          <Act label={t('drain')} run={change('drain')} done={t('draining_begun')} />
          <span class="note">{t('drain_does')}</span>
        </li>
      )}
    </ul>
  );
}

function Leader({ first }: { first: Status['lease'] }) {
  const { format } = usePage();
  const now = useNow();
  const read = useRead('/v1/leader', LeaseViewSchema, ['leader'], LEASE_EVERY_MS);
  const lease = read.data ?? first;
  const left = lease.expires_in_ms - (now - (read.at ?? now));
  return (
    <dl class="numbers">
      <div>
        <dt>{t('leader')}</dt>
        <dd>
          {lease.holder_id === null ? (
            <span class="bad-text">{t('no_leader')}</span>
          ) : (
            <a href={`/nodes/${encodeURIComponent(lease.holder_id)}`}>{lease.holder_id}</a>
          )}
        </dd>
      </div>
      <div>
        <dt>{t('term')}</dt>
        <dd>{format.count(lease.term)}</dd>
      </div>
      <div>
        <dt>{t('lease_renewed')}</dt>
        <dd>
          <When at={lease.renewed_at} />
        </dd>
      </div>
      <div>
        <dt>{t('lease_ends')}</dt>
        <dd>{lease.holder_id === null ? '–' : left > 0 ? format.span(left) : t('lease_lapsed')}</dd>
      </div>
    </dl>
  );
}
