/** What went wrong, as a person reads it: each line of the diagnostics in words, and what to do about it. Pure. */
import type { PeopleView, ReportedLine } from '../people-messages.ts';
import type { PageAddress } from '../sites/facts.ts';
import type { Format } from './format.ts';
import type { Text } from './texts.ts';

/** Lines with words of their own, `line_<code>`. Any other one is shown as it is, so that none is hidden. */
export const LINE_CODES = [
  'answer_lost',
  'answer_not_in_reading',
  'answer_not_taken_from_page',
  'conversation_unknown',
  'drift',
  'incomplete_answer',
  'internal',
  'message_kept_in_memory',
  'message_lost',
  'message_not_stored',
  'message_refused_by_agent',
  'message_sent_again',
  'message_set_aside',
  'message_too_long',
  'message_waits_for_room',
  'page_needs_person',
  'page_reloaded',
  'quiet_turn_read',
  'reading_failed',
  'stored_message_unreadable',
  'too_many_turns',
  'typed',
  'unknown_frame',
] as const;

/** Lines of sentences. */
const SENTENCES: readonly [RegExp, (typeof LINE_CODES)[number]][] = [
  [/needs a person$/, 'page_needs_person'],
  [/^a page that lost its answer is loaded again/, 'page_reloaded'],
  [/^a quiet turn is read again/, 'quiet_turn_read'],
  [/^typed at /, 'typed'],
];

/** Text that the system does not have, and that is not fetched again: it stays lost when the conversation continues. */
const DROPPED: readonly string[] = ['message_refused_by_agent', 'message_too_long', 'message_lost'];
/** A conversation that does not continue by itself. A later message in it shows that somebody has seen to it. */
const STUCK: readonly string[] = ['answer_lost', 'page_needs_person', 'incomplete_answer: max_tokens'];
const SHOWN_MS = 24 * 60 * 60_000;
const SHOWN = 3;

interface Parsed {
  code: (typeof LINE_CODES)[number] | 'other';
  detail: string;
}

function parse(text: string): Parsed {
  const sentence = SENTENCES.find(([pattern]) => pattern.test(text));
  if (sentence !== undefined) return { code: sentence[1], detail: text };
  const [, start = '', detail = ''] = /^([a-z_]+)(?:: (.*))?$/s.exec(text) ?? [];
  const code = LINE_CODES.find((one) => one === start);
  return code === undefined ? { code: 'other', detail: text } : { code, detail };
}

/** Each has a message `todo_<code>`. */
export const CODES_WITH_ADVICE: readonly string[] = [...DROPPED, ...STUCK].map((start) => start.replace(/:.*/, ''));

/** Whether a person has to do something about it in the chat. */
export function needsPerson({ text }: Pick<ReportedLine, 'text'>): boolean {
  const { code } = parse(text);
  return DROPPED.includes(code) || STUCK.includes(code) || STUCK.includes(text);
}

export interface LineShown {
  key: string;
  platform: ReportedLine['platform'];
  text: Text;
  /** What to do; null when nothing has to be done in the chat. */
  todo: Text | null;
  /** When it was seen last. */
  at: string;
  /** The same with how often; null: once. */
  times: Text | null;
}

export function describeLine(line: ReportedLine, format: Format): LineShown {
  const { code, detail } = parse(line.text);
  const at = format.clock(line.at);
  return {
    key: `${line.at} ${line.conversationId ?? ''} ${line.text}`,
    platform: line.platform,
    text: { key: `line_${code}`, args: [detail] },
    todo: needsPerson(line) ? { key: `todo_${code}` } : null,
    at,
    times: line.count === 1 ? null : { key: 'drift_times', args: [String(line.count), at] },
  };
}

/** What a person has to know on a page (null: of all), the newest first: of its conversation, and of what names none. */
export function describeAttention(
  view: PeopleView,
  page: Pick<PageAddress, 'conversationId'> | null,
  now: number,
  format: Format,
): LineShown[] {
  const ingests = view.snapshot?.browser.instruction_ingest.recent_ingests ?? [];
  const isHere = (one: ReportedLine) =>
    page === null || one.conversationId === null || one.conversationId === page.conversationId;
  const isOver = ({ text, at, conversationId: of }: ReportedLine) =>
    !DROPPED.includes(parse(text).code) && ingests.some((one) => one.conversation_id === of && one.at > at);
  return view.lines
    .filter((line) => needsPerson(line) && isHere(line) && now - line.at < SHOWN_MS && !isOver(line))
    .slice(0, SHOWN)
    .map((line) => describeLine(line, format));
}
