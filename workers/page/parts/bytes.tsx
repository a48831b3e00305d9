/** Text of other people and programs, so that nothing in it is hidden: invisible and misleading characters are marked. */
import { makeExact, makeVisible } from '../../../schema/domain/visible.ts';
import { t } from '../texts/texts.ts';

const ESCAPE = /(\\u\{[0-9a-f]+\}(?:×\d+)?)/g;

function marked(text: string) {
  return text.split(ESCAPE).map((part, at) => (at % 2 === 1 ? <mark key={at}>{part}</mark> : part));
}

/** Exactly what would run: also characters that look like others are shown as escapes. */
export function ExactBytes({ text, label }: { text: string; label: string }) {
  const exact = makeExact(text);
  const count = exact.match(ESCAPE)?.length ?? 0;
  return (
    <figure class="bytes">
      <figcaption>{count === 0 ? label : `${label} ${t('has_escapes', { n: count })}`}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it */}
      <pre tabIndex={0}>{marked(exact)}</pre>
    </figure>
  );
}

/** Output of a program, or a message. */
export function Output({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it
    <section class="output" tabIndex={0} aria-label={label}>
      <pre>{marked(makeVisible(text))}</pre>
    </section>
  );
}
