import { PLATFORMS } from '../../schema/contracts/common.ts';
import { makeVisibleLine } from '../../schema/domain/visible.ts';
import type { LineShown } from './describe-lines.ts';
import { Dot, Section } from './parts.tsx';
import type { Text, Translate } from './texts.ts';

/** What was lost, or waits until a person sees to it. */
export function AttentionSection({ shown, t }: { shown: readonly LineShown[]; t: Translate }) {
  if (shown.length === 0) return null;
  return (
    <Section title={t('attention')} id="attention">
      <div class="banner bad">
        <Lines shown={shown} t={t} />
      </div>
    </Section>
  );
}

/** Details come from sites and from the agent. */
const visible = ({ key, args = [] }: Text): Text => ({ key, args: args.map(makeVisibleLine) });

export function Lines({ shown, t }: { shown: readonly LineShown[]; t: Translate }) {
  return (
    <ul class="lines">
      {shown.map(({ key, platform, text, todo, at, times }) => (
        <li class="line" key={key}>
          <Dot tone={todo === null ? 'calm' : 'bad'} />
          <span>
            {t(visible(text))}
            {todo === null ? null : <strong class="block">{t(todo)}</strong>}
            <span class="note block">
              {times === null ? at : t(times)}
              {platform === null ? null : ` · ${new URL(PLATFORMS[platform].home_url).host}`}
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}
