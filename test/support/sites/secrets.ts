/**
 * What must not leave the browser, in each fake site: cookies, values of headers, tokens, addresses of streams, and the name
 * of the account. Each has this word in it, so that one search finds all (bridge-wire.ts).
 */
export const SECRET = 'sitesecret';

export const ACCESS_TOKEN = `${SECRET}-access-token`;
export const RESUME_TOKEN = `${SECRET}-resume-token`;
export const EMAIL = `${SECRET}@example.com`;
/** Of every response of a site, as far as it sets no cookie itself. */
export const SECRET_HEADERS = {
  'set-cookie': `session=${SECRET}-cookie; Path=/; Secure; HttpOnly`,
  'x-fake-request-id': `${SECRET}-header`,
} as const;
