/**
 * Where things are in ChatGPT's page. Two renderers are live at once: `legacy-turn` and, since September 2026, `app-shell`.
 * Each list is ordered, most trusted first: test ids, then attributes that the page needs itself, then roles and structure.
 * What is equally trusted in both renderers is one entry. Labels are localised, so they are never used alone.
 */

export const SELECTORS = {
  composer: [
    '#prompt-textarea[contenteditable="true"], form[data-chatgpt-composer] [contenteditable="true"][role="textbox"]',
    'textarea#prompt-textarea',
    'form [contenteditable="true"].ProseMirror',
    'form [contenteditable="true"][role="textbox"]',
  ],
  send: [
    '[data-testid="send-button"], form[data-chatgpt-composer] button.bg-composer-primary',
    '#composer-submit-button:not([data-testid$="stop-button"])',
    'form[data-chatgpt-composer] button[type="submit"]',
  ],
  /** The button of the app shell: one for voice, send and stop. */
  sharedButton: [
    'form[data-chatgpt-composer] button.bg-composer-primary',
    'form[data-chatgpt-composer] button[type="submit"]',
  ],
  stop: ['[data-testid="stop-button"]', '[data-testid="composer-stop-button"]'],
  streaming: ['.result-streaming', '[data-markdown-animated]'],
  /** Within the form of the composer. A button that attaches is none. */
  attachment: [
    '[class*="file-tile"]',
    '[data-testid*="attachment"]:not(button, input, label)',
    '[role="group"][aria-label*="."]',
  ],
  /** Each message of the legacy renderer; its turn is around it. */
  legacyMessage: ['[data-message-id][data-message-author-role]'],
  legacyTurn: ['[data-testid^="conversation-turn-"]'],
  legacyFinished: ['[data-testid="copy-turn-action-button"]'],
  /** Each message of the app shell. */
  unit: ['[data-chatgpt-search-unit-key]'],
  unitTurn: ['[data-turn-key]'],
  unitIds: ['[data-chatgpt-search-message-ids]'],
  unitSelectionId: ['[data-chatgpt-selection-message-id]'],
  unitFinished: ['.turn-action-controls'],
  text: ['[data-markdown-text-style="assistant-message"]', '.markdown.prose', '.markdown', '.whitespace-pre-wrap'],
  codeBlock: ['[data-markdown-copy="code-block"]', 'pre'],
  /** The line above the code: its language and a button that copies. */
  codeHeader: ['[data-markdown-copy="exclude"]', ':scope > div:not(:has(code)):not(.cm-editor)'],
  codeMirror: ['.cm-content'],
  /** A part of the text that CodeMirror has not drawn. */
  codeMirrorGap: ['.cm-gap'],
  bootstrap: ['script#client-bootstrap'],
  /** The conversation that the list of conversations marks as the open one. */
  openConversation: [
    'nav a[aria-current="page"][href*="/c/"]',
    'a[data-active][href*="/c/"]',
    'aside a[aria-current="page"][href*="/c/"]',
  ],
} as const;

/** What keeps a message from being sent, in the order in which it is reported. */
export const OBSTACLES = {
  challenge: [
    '#challenge-form',
    '#challenge-stage',
    '#challenge-running',
    'script[src*="/cdn-cgi/challenge-platform/"]',
    'iframe[src*="challenges.cloudflare.com"]',
  ],
  signed_out: ['[data-testid="login-button"]', '[data-testid="signup-button"]', 'a[href^="/auth/login"]'],
  limit: ['[data-testid*="rate-limit"]', '[data-testid*="limit-reached"]', '[data-testid*="usage-limit"]'],
  choice: [
    '[data-testid*="paragen"]',
    '[data-testid*="prefer-response"]',
    '[data-testid="continue-generating-button"]',
    '[data-paragen-root]',
  ],
  permission: [
    '[data-testid="tool-action-buttons"]',
    '[data-testid*="confirm-action"]',
    '[data-testid*="tool-confirmation"]',
    '[role="alertdialog"]',
  ],
  error: ['[data-testid="regenerate-thread-error-button"]', '[data-testid="thread-error"]'],
} as const;

/** Where the page shows a passing notice or a dialog: which one it is, only its text says. */
export const NOTICES = ['[data-testid*="toast"]', '[role="alert"]', '[role="dialog"]'] as const;

/** Notices of a limit, in the languages of most people; a refused request says it in every language. */
export const LIMIT_WORDS =
  /too many requests|(?:reached|hit) (?:our|your|the) [\w -]{0,40}limit|请求过多|达到[^\n]{0,20}(?:上限|限制)|リクエストが多すぎ|上限に達し|demasiadas solicitudes|l[ií]mite de|trop de (?:requ[êe]tes|demandes)|limite d|zu viele anfragen|limit erreicht|muitas solicita[çc][õo]es|слишком много запросов|너무 많은 요청/i;

/** Labels of the app shell's button while an answer is written, in the languages of most people. */
export const STOP_LABEL =
  /^(?:stop|停止|中止|停止生成|중지|detener|parar|interromper|arr[êe]ter|anhalten|stoppen|beenden|interrompi|остановить|зупинити|zatrzymaj|durdur|dừng|หยุด|إيقاف|रोकें|hentikan)/i;
