/**
 * The error codes of the HTTP API and of the WebSocket frames, each with its HTTP status. The renderer, the OpenAPI document,
 * the agent and the tests derive from this table.
 */
export const ERROR_STATUS = {
  invalid_request: 400,
  missing_token: 401,
  invalid_token: 401,
  unknown_token: 401,
  expired_token: 401,
  revoked_token: 401,
  forbidden: 403,
  not_owner: 403,
  client_of_other_node: 403,
  not_found: 404,
  controller_not_found: 404,
  client_not_found: 404,
  conversation_not_found: 404,
  message_not_found: 404,
  instruction_not_found: 404,
  job_not_found: 404,
  command_not_found: 404,
  artifact_not_found: 404,
  token_not_found: 404,
  grant_not_found: 404,
  ask_not_found: 404,
  task_not_found: 404,
  step_not_found: 404,
  run_not_found: 404,
  checkpoint_not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  conflict: 409,
  outbox_conflict: 409,
  duplicate_node: 409,
  stale_term: 409,
  stale_run: 409,
  not_leader: 409,
  already_finished: 409,
  too_many_browsers: 409,
  system_paused: 409,
  system_draining: 409,
  no_credentials: 409,
  rate_limited: 429,
  internal: 500,
  auth_not_configured: 503,
  database_unavailable: 503,
  no_active_client: 503,
  node_unreachable: 503,
  edge_unreachable: 503,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof ERROR_STATUS;
export type ErrorStatus = (typeof ERROR_STATUS)[ErrorCode];

export const ERROR_CODES = Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]];

/** An expected failure. It is thrown inside one process only; across RPC an outcome is returned instead. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.code = code;
    this.details = options.details ?? {};
    this.headers = options.headers ?? {};
  }

  get status(): ErrorStatus {
    return ERROR_STATUS[this.code];
  }
}
