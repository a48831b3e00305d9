/**
 * Where things are in the page of claude.ai, as seen in October 2026, most trusted first: names for tests, then other
 * attributes, then structure, then labels. Labels are localised, so a list of them is never complete.
 */

const buttons = (...labels: string[]) => labels.map((label) => `button[aria-label="${label}"]`);

export const COMPOSER = [
  'div[data-testid="chat-input"][contenteditable="true"]',
  '[data-testid="chat-input"] [contenteditable="true"]',
  'fieldset div.ProseMirror[contenteditable="true"]',
  'div.ProseMirror[contenteditable="true"]',
];
export const SEND = [
  '[data-testid="chat-input-send"]',
  ...buttons('Send message', 'Send Message', 'Nachricht senden', 'Envoyer le message', 'Enviar mensaje'),
  ...buttons('Enviar mensagem', 'Invia messaggio', 'メッセージを送信', '메시지 보내기', '发送消息', '傳送訊息'),
];
export const STOP = [
  '[data-testid="chat-input-stop"]',
  ...buttons('Stop response', 'Stop Response', 'Antwort stoppen', 'Arrêter la réponse', 'Detener respuesta'),
  ...buttons('Parar resposta', 'Interrompi risposta', '応答を停止', '응답 중지', '停止响应', '停止回應'),
];
export const STREAMING = [
  '[data-is-streaming="true"]',
  '[data-perf-row-streaming="true"]',
  '[data-perf-row-streaming=""]',
];
export const ATTACHMENT = ['[data-testid="file-thumbnail"]', '[data-testid="chat-input-attachment"]'];
/** The link of the open conversation in the list beside it. */
export const OPEN_CONVERSATION = [
  'a[href^="/chat/"][aria-current="page"]',
  'a[href^="/chat/"][aria-current="true"]',
  'a[href^="/chat/"][data-active="true"]',
];

/** One message each. */
export const ROW = ['[data-testid="transcript-row"]', '[data-perf-row]', '[data-turn-key]'];
/** An older page has no rows, only the messages, and names none of them. */
export const BARE_MESSAGE =
  '[data-testid="user-message"], [data-testid="assistant-message"], .font-claude-response, .font-claude-message';
export const TURN_KEY = '[data-turn-key]';
export const USER_ROW = ['[data-perf-row="human"]', '[data-testid="user-message"]'];
export const ASSISTANT_ROW = [
  '[data-perf-row="assistant"]',
  '[data-testid="assistant-message"]',
  '.font-claude-response',
  '.font-claude-message',
];
export const USER_TEXT = ['[data-testid="user-message"]'];
export const ASSISTANT_TEXT = ['[data-testid="assistant-message"]', '.font-claude-response', '.font-claude-message'];
/** What is no answer, though it may be shown within it. */
export const THINKING = '[data-testid*="thinking"]';

export const CHALLENGE = [
  '#challenge-form',
  '#challenge-running',
  'iframe[src*="challenges.cloudflare.com"]',
  '[name="cf-turnstile-response"]',
];
export const SIGN_IN = [
  '[data-testid="login-with-google"]',
  'form input[type="email"][autocomplete]',
  'form input[type="email"]',
];
/** The page shows an older branch, and sends nothing. */
export const OLD_VERSION = ['[data-testid="hub-earlier-version-back"]', '[data-testid="hub-earlier-version-continue"]'];
export const PERMISSION = ['[data-testid*="tool-approval"]', '[role="dialog"][aria-modal="true"]'];
/** Buttons by which a tool is allowed. */
export const PERMISSION_LABEL =
  /^(allow once|always allow|allow always|einmal erlauben|immer erlauben|autoriser une fois|permitir una vez|今回のみ許可|允许一次|允許一次)$/i;
export const NOTICE = ['[data-cds="Banner"]', '[role="alert"]', '[role="status"][data-testid*="limit"]'];
/** Says "limit" in the languages of the page. */
export const LIMIT_WORDS = /limit|límite|limite|上限|制限|한도|用量|限额|限額/i;
