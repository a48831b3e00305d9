/** The newest instructions and ticks. */
import type { Status } from '../../../../schema/contracts/status.ts';
import { callName } from '../../../../schema/contracts/tools.ts';
import { usePage } from '../../page-context.ts';
import { Card, Nothing, Status as StatusPill, When } from '../../parts/parts.tsx';
import { INSTRUCTION_TONES, TICK_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';

const SHOWN = 8;

export function Recent({ status: { recent_instructions, ticks } }: { status: Status }) {
  const { format } = usePage();
  return (
    <>
      <Card title={t('recent_instructions')} id="recent-instructions">
        {recent_instructions.length === 0 ? <Nothing>{t('no_instructions')}</Nothing> : null}
        <ul class="lines">
          {recent_instructions
            .slice(0, SHOWN)
            .map(({ instruction_id, target, tool, status, created_at, error_code, gate }) => (
              <li key={instruction_id}>
                <StatusPill kind="instruction" value={status} tone={INSTRUCTION_TONES[status]} />
                <a href={`/instructions/${instruction_id}`}>{callName(target, tool)}</a>
                <span class="note">
                  {error_code === null && gate === null ? null : `${word('reason', error_code ?? gate ?? '')} · `}
                  <When at={created_at} />
                </span>
              </li>
            ))}
        </ul>
      </Card>
      <Card title={t('recent_ticks')} id="recent-ticks">
        {ticks.length === 0 ? <Nothing>{t('no_ticks')}</Nothing> : null}
        <ul class="lines">
          {ticks.slice(0, SHOWN).map(({ tick_seq, decision, trigger, started_at, finished_at }) => (
            <li key={tick_seq}>
              <StatusPill kind="tick" value={decision} tone={TICK_TONES[decision]} />
              <a href={`/ticks/${tick_seq}`}>{t('tick_n', { seq: tick_seq })}</a>
              <span class="note">
                {word('trigger', trigger)} · {format.exactSpan(finished_at - started_at)} · <When at={started_at} />
              </span>
            </li>
          ))}
        </ul>
      </Card>
    </>
  );
}
