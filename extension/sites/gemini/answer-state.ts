/** What the parts of one response have said of the answer until now. Pure: `withPart` gives the next state. */
import { answerText } from './answer-text.ts';
import { answerIdAt, conversationAt, turnIdAt } from './ids.ts';
import { ANSWER, CANDIDATE, COMPLETE, PART, parsedJson, pickList, pickNumber, pickText, RUNNING } from './positions.ts';

export interface AnswerState {
  conversationId: string | null;
  turnId: string | null;
  /** The first answer that was named. Others are drafts beside it, which the person may choose from. */
  answerId: string | null;
  text: string;
  isComplete: boolean;
  errorCode: number | null;
  /** The status of a request that is refused as a whole. */
  status: number | null;
  /** What did not have the known shape. */
  strange: readonly string[];
}

export const NOTHING_YET: AnswerState = {
  conversationId: null,
  turnId: null,
  answerId: null,
  text: '',
  isComplete: false,
  errorCode: null,
  status: null,
  strange: [],
};

/** Takes one data part. */
export function withPart(state: AnswerState, part: unknown): AnswerState {
  const errorCode = pickNumber(part, PART.errorCode) ?? state.errorCode;
  const status = pickNumber(part, PART.status) ?? state.status;
  const json = pickText(part, PART.inner);
  const inner = parsedJson(json);
  const strange = json !== null && inner === undefined ? ['data_json'] : [];
  const named: AnswerState = {
    ...state,
    errorCode,
    status,
    conversationId: conversationAt(inner, ANSWER.conversation) ?? state.conversationId,
    turnId: turnIdAt(inner, ANSWER.turn) ?? state.turnId,
    strange: [...state.strange, ...strange],
  };
  return withCandidates(named, pickList(inner, ANSWER.candidates));
}

function withCandidates(state: AnswerState, candidates: readonly unknown[]): AnswerState {
  const answerId = state.answerId ?? answerIdAt(candidates[0], CANDIDATE.id);
  const candidate = candidates.find((one) => answerIdAt(one, CANDIDATE.id) === answerId);
  if (candidates.length > 0 && answerId === null) return { ...state, strange: [...state.strange, 'answer_id'] };
  if (answerId === null || candidate === undefined) return state;
  return { ...state, answerId, ...readCandidate(candidate, state) };
}

/** The text and the mark of one answer. What a part leaves out is as it was. */
function readCandidate(candidate: unknown, before: Pick<AnswerState, 'text' | 'isComplete' | 'strange'>) {
  const text = pickText(candidate, CANDIDATE.text);
  const mark = pickNumber(candidate, CANDIDATE.state);
  const isKnown = mark === null || mark === RUNNING || mark === COMPLETE;
  return {
    text: text === null ? before.text : answerText(text, pickText(candidate, CANDIDATE.cardText)),
    isComplete: mark === null ? before.isComplete : mark === COMPLETE,
    strange: isKnown ? before.strange : [...before.strange, 'answer_state'],
  };
}
