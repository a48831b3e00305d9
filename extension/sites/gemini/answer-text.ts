/**
 * The text of an answer without what the page does not show of it: links of cards, tags of suggestions, and the blocks of
 * code that Gemini itself has run. Blocks of code keep every character.
 */
/** In quotes and lists too. The language of a block of backticks has none, else it is code within a line. */
const FENCE = /^[\s>]*(`{3,}(?=[^`]*$)|~{3,})(.*)$/;
/** The language of code that Gemini has run, and of what that code has printed. */
const TOOL_LANGUAGE = /^\s*[\w+#-]*\?code_(?:reference|stdout)\b/;
const CARD = /http:\/\/googleusercontent\.com\/\w+\/\d+/g;
const CARD_ONLY = /^http:\/\/googleusercontent\.com\/card_content\/\d+/;
const SUGGESTION = /<\/?(?:FollowUp|Elicit)[^<>]*>/g;

/** `cardText` is the text that Gemini gives beside one that is only the link of a card. */
export function answerText(text: string, cardText: string | null): string {
  return stripped(CARD_ONLY.test(text) ? (cardText ?? text) : text);
}

interface OpenFence {
  mark: string;
  isTool: boolean;
}

function stripped(text: string): string {
  const kept: string[] = [];
  let fence: OpenFence | null = null;
  let isChanged = false;
  for (const line of text.split('\n')) {
    const keeps: boolean = !fence?.isTool;
    if (fence) {
      if (keeps) kept.push(line);
      if (closes(line, fence)) fence = null;
      continue;
    }
    fence = opened(line);
    const shown = fence ? line : line.replace(CARD, '').replace(SUGGESTION, '');
    const isHidden = fence?.isTool === true || (shown !== line && shown.trim() === '');
    if (!isHidden) kept.push(shown);
    isChanged ||= isHidden || shown !== line;
  }
  return isChanged ? kept.join('\n').trim() : text;
}

function opened(line: string): OpenFence | null {
  const [, mark, language = ''] = FENCE.exec(line) ?? [];
  return mark === undefined ? null : { mark, isTool: TOOL_LANGUAGE.test(language) };
}

function closes(line: string, { mark }: OpenFence): boolean {
  const [, end, after = ''] = FENCE.exec(line) ?? [];
  return end?.startsWith(mark) === true && after.trim() === '';
}
