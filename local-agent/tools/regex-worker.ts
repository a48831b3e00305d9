/**
 * The thread that runs one regular expression, for regex-search.ts. Some expressions take for ever with some texts, and only
 * a thread can be ended meanwhile. It is given texts and reads no file.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { RegexAnswer, RegexQuestion, RegexSetup } from './regex-search.ts';
import type { TextMatch } from './text-search.ts';
import { nextLine } from './text-search.ts';

const { source, flags } = workerData as RegexSetup;
const regex = new RegExp(source, flags);

function find({ text, most }: RegexQuestion): TextMatch[] {
  const found: TextMatch[] = [];
  for (regex.lastIndex = 0; found.length < most && regex.lastIndex <= text.length; ) {
    const match = regex.exec(text);
    if (match === null) break;
    // There is no line after the last break, and none in an empty text.
    if (match.index === text.length && (text === '' || text.endsWith('\n'))) break;
    const part = { start: match.index, end: match.index + match[0].length };
    found.push(part);
    const next = nextLine(text, part);
    if (next === text.length) break;
    regex.lastIndex = next;
  }
  return found;
}

parentPort?.on('message', (question: RegexQuestion) => {
  parentPort?.postMessage({ found: find(question) } satisfies RegexAnswer);
});
parentPort?.postMessage('ready');
