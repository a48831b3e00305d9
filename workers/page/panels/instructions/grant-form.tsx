/** On an approval: letting the like of it run without asking, for this conversation, in exactly the words shown. */
import { useState } from 'preact/hooks';
import { GrantCreateBodySchema, GrantSchema } from '../../../../schema/contracts/grants.ts';
import { callName } from '../../../../schema/contracts/tools.ts';
import { GRANTS } from '../../../../schema/defaults.ts';
import { fewestLeading, grantableArgv, takesScript } from '../../../../schema/domain/grant.ts';
import { makeExactLine } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { Act } from '../../parts/act.tsx';
import { ExactBytes } from '../../parts/bytes.tsx';
import { t } from '../../texts/texts.ts';
import type { InstructionDetail } from './instruction-detail.ts';

const HOUR_MS = 3_600_000;
const USES = [1, 5, 10, GRANTS.max_uses] as const;
const HOURS = [1, 2, 4, GRANTS.max_ms / HOUR_MS] as const;
const FURTHER = [0, 1, 2, 3, 4, 8, GRANTS.max_further_items] as const;

export function GrantForm({ instruction }: { instruction: InstructionDetail }) {
  const { target, tool, params, approval, local_conversation_id, controller_id } = instruction;
  const argv = grantableArgv(callName(target, tool), params) ?? [];
  const [leading, setLeading] = useState(argv.length);
  const [further, setFurther] = useState(0);
  const [uses, setUses] = useState<number>(5);
  const [hours, setHours] = useState<number>(1);
  const folder = approval?.cwd ?? '';
  const body = {
    local_conversation_id,
    controller_id,
    argv: argv.slice(0, leading),
    further_items: further,
    folder,
    max_uses: uses,
    expires_in_ms: hours * HOUR_MS,
  };
  if (!GrantCreateBodySchema.safeParse(body).success) return null;
  const fewest = fewestLeading(argv);
  const counts = Array.from({ length: argv.length - fewest + 1 }, (_none, n) => argv.length - n);
  const chooseLeading = (n: number): void => {
    setLeading(n);
    // So that it covers the like of this one.
    setFurther(FURTHER.find((one) => one >= argv.length - n) ?? GRANTS.max_further_items);
  };
  return (
    <details class="grant">
      <summary>{t('grant_offer')}</summary>
      <div class="form">
        <Choice label={t('grant_leading')} value={leading} of={counts} onChoose={chooseLeading} />
        {takesScript(argv) ? null : (
          <Choice label={t('grant_further')} value={further} of={FURTHER} onChoose={setFurther} />
        )}
        <Choice label={t('grant_uses')} value={uses} of={USES} onChoose={setUses} />
        <Choice label={t('grant_hours')} value={hours} of={HOURS} onChoose={setHours} />
      </div>
      <p>
        {t('grant_covers')} {further === 0 ? t('grant_begins') : t('grant_then', { n: further })}
      </p>
      <ExactBytes text={JSON.stringify(body.argv)} label={t('grant_argv')} />
      <p>
        {t('grant_where', { folder: makeExactLine(folder), node: controller_id, uses, hours })} {t('grant_itself')}
      </p>
      <p class="buttons">
        <a href={`/grants?local_conversation_id=${local_conversation_id}`}>{t('grants')}</a>
        <Act
          label={t('grant_create')}
          run={() => callEdge('/v1/grants', GrantSchema, { method: 'POST', body })}
          done={t('grant_created')}
          question={{ title: t('grant_question'), text: t('grant_means') }}
        />
      </p>
    </details>
  );
}

interface ChoiceProps {
  label: string;
  value: number;
  of: readonly number[];
  onChoose: (value: number) => void;
}

function Choice({ label, value, of, onChoose }: ChoiceProps) {
  return (
    <p class="field">
      <label>
        {label}{' '}
        <select value={value} onChange={(event) => onChoose(Number(event.currentTarget.value))}>
          {of.map((one) => (
            <option key={one} value={one}>
              {one === 0 ? t('grant_none') : one}
            </option>
          ))}
        </select>
      </label>
    </p>
  );
}

/** The line that a person could add to the policy by hand. */
export function PolicyLine({ instruction: { approval, controller_id } }: { instruction: InstructionDetail }) {
  const line = approval?.policy_line;
  if (line === undefined) return null;
  return (
    <details class="grant">
      <summary>{t('policy_line')}</summary>
      <p>{t('policy_line_about', { node: controller_id })}</p>
      <ExactBytes text={line} label="exec.rules" />
    </details>
  );
}
