/** The frames of one turn, as ChatGPT streams them. They share nothing with the decoder. */
import { RESUME_TOKEN } from '../secrets.ts';
import type { Conversation, StoredMessage } from './conversations.ts';
import type { Turn } from './turn.ts';

function frame(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function delta(value: object): string {
  return `event: delta\ndata: ${JSON.stringify(value)}\n\n`;
}

const ENCODING = 'event: delta_encoding\ndata: "v1"\n\n';
const DONE = 'data: [DONE]\n\n';

export interface TurnOf {
  conversation: Conversation;
  question: StoredMessage | null;
  messages: readonly StoredMessage[];
  turn: Turn;
}

/** The stream in three parts: until half of the answer, the rest of the answer, and the marks of its end. */
export interface Frames {
  first: string;
  second: string;
  end: string;
}

export function framesOf(of: TurnOf): Frames {
  const { conversation, turn, question } = of;
  const opening =
    frame({ type: 'resume_conversation_token', token: RESUME_TOKEN, conversation_id: conversation.id }) +
    (question ? frame({ type: 'input_message', input_message: question, conversation_id: conversation.id }) : '');
  const end = turn.end ?? 'complete';
  const complete =
    end === 'complete' ? frame({ type: 'message_stream_complete', conversation_id: conversation.id }) : '';
  const marks = end === 'missing' || end === 'cut' ? '' : complete + DONE;
  if (turn.failure !== undefined) {
    return { first: ENCODING + opening, second: frame({ message: null, error: turn.failure }), end: marks };
  }
  const { first, second } = turn.transport === 'cumulative' ? cumulative(of) : deltas(of);
  return { first: turn.transport === 'cumulative' ? first : ENCODING + opening + first, second, end: marks };
}

/** All of the stream when the answer follows on a WebSocket. */
export function handoffFrames(conversationId: string, topic: string): string {
  return (
    ENCODING +
    frame({ type: 'resume_conversation_token', token: RESUME_TOKEN, conversation_id: conversationId }) +
    frame({
      type: 'stream_handoff',
      conversation_id: conversationId,
      turn_exchange_id: 'turn',
      options: [{ type: 'subscribe_ws_topic', topic_id: topic }, { type: 'resume_sse_endpoint' }],
    }) +
    DONE
  );
}

function deltas({ conversation, messages, turn }: TurnOf): { first: string; second: string } {
  const answer = messages.at(-1) as StoredMessage;
  const asides = messages
    .slice(0, -1)
    .map((one, at) => delta({ p: '', o: 'add', v: started(one, conversation), c: at }));
  const variants = turn.isChoice
    ? frame({ type: 'num_variants_in_stream', num_variants_in_stream: 2, conversation_id: conversation.id })
    : '';
  const empty = {
    ...answer,
    content: { content_type: 'text', parts: [''] },
    status: 'in_progress',
    end_turn: null,
    metadata: {},
  };
  const [half, rest] = halves(turn.text);
  const begun =
    asides.join('') +
    variants +
    delta({ v: { message: empty, conversation_id: conversation.id }, c: messages.length }) +
    frame({
      type: 'message_marker',
      conversation_id: conversation.id,
      message_id: answer.id,
      marker: 'user_visible_token',
      event: 'first',
    });
  const texts = tokens(half).map((v, at) =>
    delta(at === 0 ? { p: '/message/content/parts/0', o: 'append', v } : { v }),
  );
  const tail = tokens(rest);
  const last = tail.pop() ?? '';
  const finish = delta({
    p: '',
    o: 'patch',
    v: [
      { p: '/message/content/parts/0', o: 'append', v: last },
      { p: '/message/status', o: 'replace', v: 'finished_successfully' },
      { p: '/message/end_turn', o: 'replace', v: true },
      { p: '/message/metadata', o: 'append', v: { finish_details: { type: turn.finish ?? 'stop' } } },
    ],
  });
  return { first: begun + texts.join(''), second: tail.map((v) => delta({ v })).join('') + finish };
}

function cumulative({ conversation, messages, question, turn }: TurnOf): { first: string; second: string } {
  const whole = (message: object) => frame({ message, conversation_id: conversation.id, error: null });
  const answer = messages.at(-1) as StoredMessage;
  const [half] = halves(turn.text);
  const running = (text: string) =>
    whole({
      ...answer,
      content: { content_type: 'text', parts: [text] },
      status: 'in_progress',
      end_turn: null,
      metadata: {},
    });
  return {
    first: (question ? whole(question) : '') + messages.slice(0, -1).map(whole).join('') + running('') + running(half),
    second: running(turn.text) + whole(answer),
  };
}

function started(message: StoredMessage, { id }: Conversation): object {
  return { message, conversation_id: id };
}

function halves(text: string): [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

/** At least one. They may end within a character of two units, as the site's do not; the text is the same. */
function tokens(text: string): string[] {
  return text.match(/[\s\S]{1,24}/gu) ?? [''];
}
