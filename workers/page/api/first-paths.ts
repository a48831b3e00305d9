/** What the first panel reads: asked for before its code has come. */
export const STATUS_PATH = '/v1/status';
export const WAITING_PATH = '/v1/status/waiting';
export const NEXT_PATH = '/v1/status/next';
export const SESSION_PATH = '/v1/session';
