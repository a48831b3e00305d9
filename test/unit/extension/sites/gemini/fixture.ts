/** What the tests of Gemini share: ids, sends and ways of feeding a decoder. */
import type { DecodedEvent, Decoder } from '../../../../../extension/sites/decoder.ts';
import type { ResponseHead, SeenSend } from '../../../../../extension/sites/facts.ts';
import { GEMINI } from '../../../../../extension/sites/gemini/gemini.ts';

export const HEX = 'd256defe4aabd853';
export const IDS = { conversation: `c_${HEX}`, turn: 'r_86a5b0c5d4d5c0d5' };
export const FIRST = 'rc_e318524f2ef909d9';
export const SECOND = 'rc_930ab8f63edfb94c';
/** The answer that every stream of these tests is about. */
export const ANSWER = { conversationId: HEX, messageId: FIRST, userMessageId: IDS.turn };

export const SEND_URL =
  'https://gemini.google.com/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate?bl=boq_assistant&f.sid=-77&hl=en&_reqid=1&rt=c';
export const BATCH_URL = 'https://gemini.google.com/_/BardChatUi/data/batchexecute?rpcids=hNvQHb&source-path=%2Fapp';

export const SEND: SeenSend = {
  kind: 'message',
  conversationId: null,
  userMessageId: null,
  assistantMessageId: null,
  text: 'hello',
  isTemporary: false,
  organizationId: null,
};

export function head(change: Partial<ResponseHead> = {}): ResponseHead {
  return {
    role: 'send',
    url: new URL(SEND_URL),
    status: 200,
    contentType: 'application/json',
    headers: {},
    send: SEND,
    ...change,
  };
}

export function streamDecoder(change: Partial<ResponseHead> = {}): Decoder {
  return GEMINI.wire.decoder(head(change));
}

/** All events of a body, fed in pieces that end at these byte positions. */
export function eventsOf(
  text: string,
  { cuts = [], isBroken = false, decoder = streamDecoder() } = {} as Feed,
): DecodedEvent[] {
  const bytes = new TextEncoder().encode(text);
  const ends = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
  const starts = [0, ...ends];
  const pieces = starts.map((start, index) => bytes.slice(start, ends[index] ?? bytes.length));
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end(isBroken)];
}

interface Feed {
  cuts?: readonly number[];
  isBroken?: boolean;
  decoder?: Decoder;
}
