/** Writes the response to one message, as a plan says. */
import type { ServerResponse } from 'node:http';
import { SECRET } from '../secrets.ts';
import { cutBody, writeSlowly } from '../streaming.ts';
import type { AnswerPlan } from './plan.ts';
import type { DraftAnswer, StoredTurn } from './wire-format.ts';
import { answerPart, errorPart, line, PREFIX, TRAILER } from './wire-format.ts';

/** The whole text so far is repeated in each of so many lines. */
const TEXT_LINES = 4;
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff' };

/** `answers`: the answer of the plan and its drafts, with their ids. */
export async function streamAnswer(
  response: ServerResponse,
  plan: AnswerPlan,
  turn: StoredTurn,
  answers: readonly DraftAnswer[],
): Promise<void> {
  response.writeHead(200, JSON_TYPE);
  const write = (lines: readonly string[], everyMs = plan.everyMs ?? 1) =>
    writeSlowly(response, lines.join(''), { pieceBytes: plan.pieceBytes ?? 512, everyMs });
  if (plan.error && !plan.error.after) {
    await write([PREFIX, line([errorPart(plan.error.code)]), ...TRAILER.map(line)]);
    response.end();
    return;
  }
  await write([PREFIX, ...thinkingLines(plan, turn, answers)]);
  if (plan.cut === 'thinking') return cutBody(response);
  const texts = textLines(turn, answers);
  await write(texts.slice(0, TEXT_LINES / 2));
  if (plan.cut === 'text') return cutBody(response);
  await write(texts.slice(TEXT_LINES / 2));
  await plan.until?.opened;
  if (plan.cut === 'mark') return cutBody(response);
  // The site ends its response right after the last line.
  await write(endLines(plan, turn, answers), 1);
  response.end();
}

function thinkingLines({ thoughts }: AnswerPlan, turn: StoredTurn, answers: readonly DraftAnswer[]): string[] {
  const named = line([answerPart(turn, [])]);
  if (thoughts === undefined) return [named];
  return [
    named,
    line([
      answerPart(
        turn,
        answers.map((one) => ({ ...one, text: '', state: 1, thoughts })),
      ),
    ]),
  ];
}

function textLines(turn: StoredTurn, answers: readonly DraftAnswer[]): string[] {
  return Array.from({ length: TEXT_LINES }, (_, index) => {
    const share = (index + 1) / (TEXT_LINES + 1);
    const running = answers.map((one) => ({ ...one, text: begun(one.text, share), state: 1 as const }));
    return line([answerPart(turn, running)]);
  });
}

/** The beginning of a text; while it is written, its last character is escaped. */
function begun(text: string, share: number): string {
  const characters = Array.from(text);
  const shown = characters.slice(0, Math.ceil(characters.length * share));
  const last = shown.pop() ?? '';
  return shown.join('') + (/[!*_#-]/.test(last) ? `\\${last}` : last);
}

function endLines({ error }: AnswerPlan, turn: StoredTurn, answers: readonly DraftAnswer[]): string[] {
  const complete = [line([answerPart(turn, answers)]), line([answerPart(turn, answers, `AwAAAA${SECRET}`)])];
  const errors = error ? [line([errorPart(error.code)])] : [];
  return [...complete, ...errors, ...TRAILER.map(line)];
}
