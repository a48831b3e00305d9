/**
 * Elements of Gemini's pages, each list in order of trust. Seen on the live site between February and October 2026. Labels
 * are the last resort, as they are in the person's language.
 */

export const COMPOSER = [
  'rich-textarea .ql-editor[contenteditable="true"]',
  // Quill keeps a second editable element for pastes.
  '.ql-editor[contenteditable="true"]:not(.ql-clipboard)',
  'rich-textarea [contenteditable="true"][role="textbox"]',
];

/** Files that go with the next message. Those of a message that was sent are in its turn. */
export const ATTACHMENTS = ['uploader-file-preview', '.attachment-preview-wrapper .file-preview-container'];

/** One button sends or stops, with another icon and label. */
export const SLOT = ['button.send-button', '.send-button-container button'];
export const SEND_BY_LABEL = ['Send message', 'Nachricht senden', '发送', '傳送訊息', 'プロンプトを送信'].map(
  (label) => `button[aria-label="${label}"]`,
);
export const STOP = [
  'button.send-button.stop',
  'button.send-button mat-icon[fonticon="stop"]',
  'button.send-button mat-icon[data-mat-icon-name="stop"]',
  '.send-button-container mat-icon[fonticon="stop"]',
  'button[aria-label="Stop response"]',
];
/** An answer that has no text yet. */
export const PENDING = ['pending-response'];

export const TURNS = 'user-query, model-response';
export const USER_TURN = 'user-query';
export const USER_TEXT = ['.query-text', 'user-query-content'];
export const USER_LINE = '.query-text-line';
/** Named after its turn: `model-response-message-contentr_<hex>`. */
export const ANSWER_TEXT = ['[id^="model-response-message-contentr_"]', 'message-content .markdown', 'message-content'];
export const ANSWER_ID = /^model-response-message-content(r_[0-9a-f]{1,32})$/;
export const ANSWER_FINISHED = ['.response-footer.complete', 'message-actions'];
/** Inside a turn, and no part of its text: labels for screen readers, thoughts, heads of code blocks. */
export const NOT_TEXT = '.cdk-visually-hidden, model-thoughts, .code-block-decoration, button, mat-icon';

export const CODE_BLOCK = ['code-block', '.code-block'];
export const CODE_LANGUAGE = ['.code-block-decoration > span', '.code-block-decoration'];
export const CODE_TEXT = ['pre code', 'code'];

/** The entry of the open conversation in the list of conversations; one of its attributes holds `c_<hex>`. */
export const OPEN_CONVERSATION = [
  '[data-test-id="conversation"].selected',
  '[data-test-id^="conversation_c_"].selected',
];
export const CONVERSATION_ATTRIBUTES = ['data-test-id', 'href', 'jslog'];
export const CONVERSATION_NAME = /(?:\bc_|\/app\/|_c_)([0-9a-f]{10,32})(?![0-9a-f])/;

/** Two whole answers side by side, of which the person is asked to choose one. */
export const CHOICE = ['dual-model-response'];
/**
 * A guess: how the page shows that a limit is reached has not been seen; its responses say it by an error code. A guess that
 * does not match then is reported as drift.
 */
export const LIMIT_NOTICES = [
  '[data-test-id*="limit"]',
  'mat-snack-bar-container',
  '[role="alert"]',
  '[role="status"]:not(.cdk-visually-hidden)',
];
export const LIMIT_WORDS =
  /(?:reached|hit|exceeded) (?:our|your|the) [\w -]{0,40}limit|limit (?:erreicht|überschritten)|達到[^\n]{0,20}(?:上限|限制)|达到[^\n]{0,20}(?:上限|限制)|上限に達し|l[ií]mite de|limite d/i;
export const CHALLENGE = ['form#captcha-form', 'form[action^="/sorry/"]'];
export const SIGN_IN = ['a[href*="accounts.google.com/ServiceLogin"]', 'a[href*="accounts.google.com/signin"]'];
