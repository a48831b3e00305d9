/** Addresses and endpoints of claude.ai as seen in October 2026. Two kinds of accounts use different ones. */

export const HOST = 'claude.ai';
export const MATCHES = [`https://${HOST}/*`] as const;
const API = `https://${HOST}/api`;
/** Connect-RPC of the newer accounts. Its version is part of the path and may change. */
const RPC = `https://${HOST}/claudeai-rpc/anthropic.bard.api.*`;

export const REQUEST_PATTERNS = [
  `${RPC}`,
  `${API}/organizations`,
  `${API}/organizations/*/chat_conversations/*`,
  `${API}/account`,
  `${API}/bootstrap`,
  `${API}/bootstrap/*`,
] as const;

const UUID_PATTERN = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const UUID = new RegExp(`^${UUID_PATTERN}$`);
/** The parent that the JSON interface names for the first message of a conversation. */
export const ROOT_PARENT = '00000000-0000-4000-8000-000000000000';

export const RPC_METHOD = /^\/claudeai-rpc\/anthropic\.bard\.api\.v\w+\.ConversationService\/(\w+)$/;
export const CONVERSATION_API = new RegExp(
  `^/api/organizations/(${UUID_PATTERN})/chat_conversations/(${UUID_PATTERN})(?:/(\\w+))?$`,
);
export const ACCOUNT_API = new RegExp(`^/api/(?:account|organizations|bootstrap(?:/(${UUID_PATTERN})/\\w+)?)$`);
export const CHAT_PATH = new RegExp(`^/chat/(${UUID_PATTERN})/?$`);
export const NEW_PATH = /^\/(?:new\/?)?$/;
export const LOGIN_PATH = /^\/(?:login|logout|magic-link|sso-callback)\b/;
export const CHALLENGE_PATH = '/api/challenge_redirect';
/** Marks an address of a conversation that is not kept. */
export const INCOGNITO_PARAM = 'incognito';
/** The organisation that the person used last. */
export const ORGANIZATION_COOKIE = /(?:^|;\s*)lastActiveOrg=([^;]+)/;
export const ORGANIZATION_IN_PATH = new RegExp(`/api/organizations/(${UUID_PATTERN})/`);

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** Reads a conversation with all its branches. It works for both kinds of accounts. */
export function treeUrl(organizationId: string, conversationId: string): string {
  const query = 'tree=True&rendering_mode=messages&render_all_tools=true';
  return `${API}/organizations/${organizationId}/chat_conversations/${conversationId}?${query}`;
}
