/** Addresses, requests and codes of gemini.google.com, as they were in October 2026. */

export const PAGES = 'https://gemini.google.com/*';

/** Further accounts have a prefix: `/u/1/app`. `/u/0` is the first one, as no prefix is. */
export const ACCOUNT_PREFIX = /^\/u\/\d{1,2}(?=\/)/;

/** The page that starts a conversation, and a conversation. */
export const APP = /^\/app(?:\/([^/]+))?\/?$/;
/** The same with a gem. */
export const GEM = /^\/gem\/[^/]+(?:\/([^/]+))?\/?$/;

const SERVICE = '/_/BardChatUi/data/';
export const SEND_PATH = `${SERVICE}assistant.lamda.BardFrontendService/StreamGenerate`;
export const BATCH_PATH = `${SERVICE}batchexecute`;
/** Of a batch: reads a conversation. */
export const READ_RPC = 'hNvQHb';

export const REQUEST_PATTERNS = [
  'https://gemini.google.com/*BardFrontendService/StreamGenerate*',
  'https://gemini.google.com/*BardChatUi/data/batchexecute*',
];

/** The fields of a request's form. `at` is secret: it leaves neither the page nor the browser. */
export const FORM = { request: 'f.req', token: 'at' } as const;

/** Turns that one reading asks for. */
export const READ_TURNS = 10;

/** The error of a limit of use, until a time that the site does not say. */
export const LIMIT_CODE = 1037;
/** The session or context of a request has ended. It may follow a complete answer, and means nothing then. */
export const CONTEXT_CODE = 1096;
/** The site refuses to follow up in this conversation. */
export const FOLLOW_UP_CODE = 1097;
/** A request that is refused as a whole has this in place of a list of errors. */
export const REJECTED_STATUS = 7;

export const ERROR_NAMES: Readonly<Record<number, string>> = {
  1003: 'image_refused',
  1013: 'temporary_error',
  1050: 'model_unavailable',
  1052: 'model_unavailable',
  1060: 'location_blocked',
  [CONTEXT_CODE]: 'session_ended',
};
