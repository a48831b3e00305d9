/**
 * ChatGPT marks citations by private-use characters, `U+E200 … U+E201`, and leaves some of them alone in the text. They
 * mean nothing to a reader, so they are removed from prose. In a code block each character counts, so there they stay, and
 * the caller learns of it.
 */

const CITATION = /\uE200[^\uE200\uE201\n]*\uE201|[\uE200-\uE206]/g;
const MARK = /[\uE200-\uE206]/;
/** Lists and quotes may come before a fence. */
const FENCE = /^[\s>*+\-\d.)]*(`{3,}|~{3,})(.*)$/;

export interface WithoutCitations {
  text: string;
  /** Marks were left in a code block. */
  isMarkedCode: boolean;
}

export function withoutCitations(text: string): WithoutCitations {
  if (!MARK.test(text)) return { text, isMarkedCode: false };
  let fence: string | null = null;
  let isMarkedCode = false;
  const lines = text.split('\n').map((line) => {
    const [, run, rest = ''] = FENCE.exec(line) ?? [];
    if (fence !== null) {
      isMarkedCode ||= MARK.test(line);
      if (run?.startsWith(fence) && rest.trim() === '') fence = null;
      return line;
    }
    if (run !== undefined && !(run.startsWith('`') && rest.includes('`'))) {
      fence = run;
      isMarkedCode ||= MARK.test(line);
      return line;
    }
    return line.replace(CITATION, '');
  });
  return { text: lines.join('\n'), isMarkedCode };
}
