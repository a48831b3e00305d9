/** A Git patch with its lines colored by what they do. */
import { diffOf } from '../../../schema/domain/patch-commits.ts';
import { makeVisible } from '../../../schema/domain/visible.ts';
import { t } from '../texts/texts.ts';
import { kindOfLine } from './patch-lines.ts';

const MAX_LINES = 2_000;

export function Patch({ text }: { text: string }) {
  const lines = makeVisible(diffOf(text)).split('\n');
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it */}
      <section class="output patch" tabIndex={0} aria-label={t('checkpoint_git_diff')}>
        <pre>
          {lines.slice(0, MAX_LINES).map((line, at) => (
            <span key={at} class={kindOfLine(line)}>
              {line}
              {'\n'}
            </span>
          ))}
        </pre>
      </section>
      {lines.length > MAX_LINES ? <p class="note">{t('patch_cut', { n: MAX_LINES, all: lines.length })}</p> : null}
    </>
  );
}
