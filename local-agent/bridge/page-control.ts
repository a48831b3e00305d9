/**
 * Actions of a person in the overlay, sent to the edge under that browser's own token. The result is what the edge
 * confirmed, or its error.
 */
import { z } from 'zod';
import type { ExtensionFrame, PAGE_CONTROL_ACTIONS } from '../../schema/contracts/bridge-frames.ts';
import { SystemChangeResponseSchema } from '../../schema/contracts/system.ts';
import { AppError } from '../../schema/errors.ts';
import type { Conversations } from '../browsers/conversations.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';

export type PageControl = Extract<ExtensionFrame, { type: 'page_control' }>;
type Action = (typeof PAGE_CONTROL_ACTIONS)[number];
export type PageControlOutcome = { ok: true; data: unknown } | { ok: false; error: { code: string; message: string } };

/** The edge's response to a change of a conversation. */
const ConversationChangedSchema = z.looseObject({ local_conversation_id: z.string(), automation_status: z.string() });

export interface PageControlDeps {
  edge: Pick<EdgeClient, 'call'>;
  conversations: Conversations;
}

interface Call extends PageControlDeps {
  token: string;
  /** The browser that the person used. */
  clientId: string;
  frame: PageControl;
}

function required<T>(value: T | undefined, field: string): T {
  if (value !== undefined) return value;
  throw new AppError('invalid_request', `this action needs ${field}`, { details: { field } });
}

function changeSystem(verb: 'pause' | 'resume') {
  return ({ edge, token, frame: { reason, hold } }: Call): Promise<unknown> =>
    edge.call({
      method: 'POST',
      path: `/v1/system/${verb}`,
      body: { ...(reason !== undefined && { reason }), ...(verb === 'pause' && hold !== undefined && { hold }) },
      token,
      schema: SystemChangeResponseSchema,
    });
}

async function changeConversation({ edge, conversations, token, frame }: Call, verb: string): Promise<unknown> {
  const remote = {
    platform: required(frame.platform, 'platform'),
    conversation_id: required(frame.conversation_id, 'conversation_id'),
  };
  const known = conversations.find(remote) ?? (await conversations.lookUp(remote));
  if (known === null) throw new AppError('conversation_not_found', 'the edge does not know this conversation yet');
  const id = known.local_conversation_id;
  const data = await edge.call({
    method: 'POST',
    path: `/v1/renewal/conversations/${encodeURIComponent(id)}/${verb}`,
    body: frame.reason === undefined ? {} : { reason: frame.reason },
    token,
    schema: ConversationChangedSchema,
  });
  await conversations.reread([id]);
  return data;
}

/** Passed on to the page as it is. */
const ResponseSchema = z.looseObject({});

function post({ edge, token }: Call, path: string, body: Record<string, unknown> = {}): Promise<unknown> {
  return edge.call({ method: 'POST', path, body, token, schema: ResponseSchema });
}

function decideApproval(verb: 'approve' | 'deny') {
  return async (call: Call): Promise<unknown> => {
    const id = required(call.frame.instruction_id, 'instruction_id');
    const approval_hash = required(call.frame.approval_hash, 'approval_hash');
    return post(call, `/v1/instructions/${encodeURIComponent(id)}/${verb}`, { approval_hash });
  };
}

const ACTIONS: Record<Action, (call: Call) => Promise<unknown>> = {
  'system.pause': changeSystem('pause'),
  'system.resume': changeSystem('resume'),
  'conversation.mode': async (call) => changeConversation(call, required(call.frame.mode, 'mode')),
  'conversation.resume': (call) => changeConversation(call, 'resume'),
  'instruction.approve': decideApproval('approve'),
  'instruction.deny': decideApproval('deny'),
  'instruction.cancel': async (call) =>
    post(call, `/v1/instructions/${encodeURIComponent(required(call.frame.instruction_id, 'instruction_id'))}/cancel`),
  'message.resubmit': async (call) =>
    post(call, `/v1/messages/${encodeURIComponent(required(call.frame.message_id, 'message_id'))}/resubmit`),
  // The person's own browser, unless the frame names another one.
  'client.resume': ({ frame, ...call }) => {
    const path = `/v1/browser/clients/${encodeURIComponent(frame.client_id ?? call.clientId)}/resume`;
    return post({ ...call, frame }, path, frame.platform === undefined ? {} : { platform: frame.platform });
  },
};

/** Performs the action. An error of the edge or of the input is an outcome; any other is thrown. */
export async function doPageControl(
  deps: PageControlDeps,
  by: { token: string; clientId: string },
  frame: PageControl,
): Promise<PageControlOutcome> {
  try {
    return { ok: true, data: await ACTIONS[frame.action]({ ...deps, ...by, frame }) };
  } catch (error) {
    if (error instanceof AppError || error instanceof EdgeError) {
      return { ok: false, error: { code: error.code, message: error.message } };
    }
    throw error;
  }
}
