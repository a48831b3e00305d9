/** What an instruction has put out: live while it runs, whole once it has ended. */
import { useState } from 'preact/hooks';
import { ArtifactSchema } from '../../../../schema/contracts/events.ts';
import { useRead } from '../../page-context.ts';
import { Output } from '../../parts/bytes.tsx';
import { Card, Nothing, Shown } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';
import type { InstructionDetail } from './instruction-detail.ts';
import { liveText } from './live-text.ts';

export function InstructionOutput({ instruction }: { instruction: InstructionDetail }) {
  const [isWhole, setWhole] = useState(false);
  const { artifact_id, output_summary, status, truncated } = instruction;
  const whole = useRead(isWhole && artifact_id !== null ? `/v1/artifacts/${artifact_id}` : null, ArtifactSchema, []);
  const text = output_summary ?? liveText(instruction.events);
  if (text === '' && status !== 'running' && artifact_id === null) return null;
  return (
    <Card
      title={t('output')}
      id="output"
      note={status === 'running' ? t('output_live') : truncated ? t('output_cut') : undefined}
    >
      {isWhole ? (
        <Shown of={whole}>{({ content }) => <Output text={content} label={t('output')} />}</Shown>
      ) : text === '' ? (
        <Nothing>{t('no_output_yet')}</Nothing>
      ) : (
        <Output text={text} label={t('output')} />
      )}
      {artifact_id === null || isWhole ? null : (
        <p class="buttons">
          <button type="button" class="plain" onClick={() => setWhole(true)}>
            {t('show_whole_output')}
          </button>
        </p>
      )}
    </Card>
  );
}
