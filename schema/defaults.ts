/** The numbers of the system, once. Units are in the names. */

export const CHANNEL = {
  ping_interval_ms: 5_000,
  /**
   * What the edge said last is acted on for this long. Ten seconds after an acknowledged pause a silent node starts nothing;
   * the second below that is for the start itself, which takes a while on a busy machine.
   */
  trust_ms: 9_000,
  max_frame_bytes: 1024 * 1024,
  max_frames_per_sec: 100,
  reconnect_base_ms: 500,
  reconnect_max_ms: 30_000,
} as const;

export const LEASE = {
  name: 'global',
  ttl_sec: 30,
  ttl_min_sec: 15,
  ttl_max_sec: 300,
  renew_interval_ms: 5_000,
  renew_failure_threshold: 2,
  trust_margin_max_ms: 5_000,
  trust_margin_divisor: 3,
} as const;

export const TIMED_JOBS = {
  settle_delay_ms: 10_000,
  max_messages_per_tick: 10,
  max_jobs_per_tick: 10,
  interval_ms: 10_000,
  recheck_min_ms: 10_000,
  lock_ms: 30_000,
  /** After this a tick starts no further runner; the next tick continues. Well within the lock. */
  tick_budget_ms: 5_000,
  /** D1 statements of one tick: the limit of an invocation on the free plan. */
  tick_queries: 50,
} as const;

export const RENEWAL = {
  max_attempts: 3,
  retry_base_ms: 30_000,
  retry_max_ms: 300_000,
  retry_jitter: 0.2,
  delivery_timeout_ms: 20_000,
  deadline_slack_ms: 10_000,
  unknown_after_ms: 600_000,
  summary_chars: 200,
  /** How often a job that waits for a person is checked. What the person does makes it due at once. */
  held_recheck_ms: 3_600_000,
} as const;

export const INSTRUCTION = {
  timeout_ms: 60_000,
  exec_timeout_ms: 600_000,
  max_age_ms: 600_000,
  claim_slack_ms: 60_000,
  /** The longest that a node may hold one claim, however many instructions execute before it. */
  claim_total_ms: 3_600_000,
  /** From the ask, and where notices are sent, from the accepted notice. */
  approval_expiry_ms: 900_000,
  /** From the ask, where notices are sent and none was accepted. */
  approval_expiry_max_ms: 3_600_000,
  reply_give_up_ms: 600_000,
  max_block_bytes: 256 * 1024,
  max_per_message: 32,
  max_json_depth: 32,
  max_output_bytes: 256 * 1024,
  /** Output of a running program that is reported while it runs. Its result has all of it. */
  live_interval_ms: 1_000,
  max_live_chunk_chars: 16 * 1024,
  max_live_chars: 64 * 1024,
} as const;

export const MCP = {
  /** How long a JSON-RPC id names the same call, with the same token, tool and arguments. */
  request_id_ms: 60_000,
  /** How long after its end a call is joined by the same one under another id. */
  join_ms: 2_000,
  /** After this a call that its node has not judged is not run any more. */
  judged_within_ms: 60_000,
  /** How long a request waits for the end of its call, so that with its last reads it answers within 30 s. */
  wait_ms: 29_000,
  poll_first_ms: 50,
  poll_longest_ms: 1_200,
  progress_interval_ms: 5_000,
  output_chars: 12_000,
} as const;

export const TASK = {
  priority: 50,
  step_timeout_ms: 3_600_000,
  step_timeout_min_ms: 1_000,
  step_timeout_max_ms: 7 * 86_400_000,
  max_attempts: 2,
  max_attempts_limit: 20,
  max_steps: 64,
  /** Tasks that one task waits for, and tasks that wait for one. */
  max_after: 32,
  max_dependents: 200,
  /** Tasks of one chat that have not ended. */
  max_open_of_chat: 64,
  max_goal_chars: 65_536,
  /** The input of all its steps as JSON. A row holds the input of one. */
  max_input_chars: 524_288,
  takeover_after_ms: 1_200_000,
  takeover_min_ms: 60_000,
  takeover_max_ms: 7 * 86_400_000,
  /** How many of a task's runs its detail shows. */
  runs_shown: 100,
} as const;

export const RUN = {
  /** Where a chunk of a stream may begin: more than a run ever prints, and sums of it are exact. */
  max_log_offset: 2 ** 48,
  heartbeat_ms: 15_000,
  /** A heartbeat moves the stored deadline only by at least this, or this part of the grace. */
  deadline_grain_ms: 60_000,
  deadline_grain_part: 10,
  /** How long a node does not get back what it has handed over. */
  hand_over_except_ms: 300_000,
  max_summary_chars: 8_192,
  max_claim_repos: 64,
  max_claim_executors: 32,
  max_chunks_per_request: 64,
  /** Of one request in all: fits an HTTP body. */
  max_log_request_bytes: 512 * 1024,
  max_chunk_base64_chars: 699_052,
  /** A row of a log, at most. */
  log_row_bytes: 64 * 1024,
  /** Of each stream its first and its last bytes are kept, in at most so many rows each. */
  log_head_bytes: 1024 * 1024,
  log_tail_bytes: 1024 * 1024,
  log_part_rows: 1_024,
  max_checkpoint_bytes: 1024 * 1024,
  /** Of an edge with a bucket for checkpoints, and of the request that brings one. */
  max_bucket_checkpoint_bytes: 8 * 1024 * 1024,
  max_checkpoint_base64_chars: 11_184_812,
  max_checkpoint_request_bytes: 11_200_000,
} as const;

/** The report of a task's end into the chat that created it. */
export const NOTICE = {
  max_attempts: 5,
  /** How often a notice that no browser can take is looked at, and for how long. */
  recheck_ms: 60_000,
  give_up_ms: 86_400_000,
} as const;

/** A question of a person in a conversation. */
export const ASK = {
  /** How often one that nothing can take yet is looked at, and for how long. */
  recheck_ms: 5_000,
  send_within_ms: 600_000,
  /** How long a node has to say what became of its delivery. */
  outcome_within_ms: 45_000,
  answer_within_ms: 3_600_000,
} as const;

/** Notices to people about what waits for one of them. */
export const PERSON_NOTICE = {
  /** The time from each try to the next: five tries within an hour. */
  retry_after_ms: [60_000, 240_000, 900_000, 2_100_000],
  request_timeout_ms: 10_000,
  /** How long the outcome of the last try is waited for. */
  last_outcome_ms: 60_000,
  /** How long no node leads before people are notified: the time in which another node takes the lease over. */
  no_leader_ms: 60_000,
  /** What may wait for weeks is announced only when it has begun within this time, and followed for a week. */
  recent_ms: 86_400_000,
  followed_ms: 7 * 86_400_000,
  /** How many of each cause one look finds, and how many notices one look sends. */
  found_per_look: 20,
  sent_per_look: 5,
  shown: 50,
} as const;

/**
 * Browsers that a node may have: more than anybody uses, and few enough to look through. One that was not heard of for a
 * month does not count.
 */
export const BROWSERS = { max_per_node: 64, counted_ms: 30 * 86_400_000 } as const;

/** What a person can approve ahead for one conversation (schema/domain/grant.ts). */
export const GRANTS = {
  max_uses: 20,
  min_ms: 60_000,
  max_ms: 8 * 3_600_000,
  /** That can still be used. */
  max_per_conversation: 16,
  max_argv: 64,
  /** Of all leading items together. */
  max_chars: 4_096,
  max_further_items: 16,
} as const;

/** How many instructions may wait for a person at once. Each limit takes the largest message of instructions. */
export const APPROVALS = { max_per_conversation: 32, max_per_node: 64 } as const;

export const LINK = {
  /** How much later a link must be seen again for that alone to be stored. */
  observed_grain_ms: 600_000,
} as const;

export const DELIVERY = {
  /** A longer output is stored as an artifact. */
  inline_chars: 2_000,
  /** Of all outputs of a reply together. */
  reply_chars: 12_000,
  /** Of one part of a stored output; fits a reply. */
  output_read_chars: 10_000,
  summary_chars: 200,
  per_platform_in_flight: 2,
  breaker_failures: 5,
  breaker_open_ms: 60_000,
  retry_base_ms: 5_000,
  retry_max_ms: 300_000,
  retry_jitter: 0.2,
  /** The shortest time between the starts of two deliveries of one browser and platform, plus up to the jitter. */
  min_spacing_ms: 1_000,
  spacing_jitter_ms: 500,
  rate_window_ms: 60_000,
  rate_max: 30,
  /** How long after its timeout a slot that was not freed is reclaimed. */
  stale_lease_ms: 10_000,
  reply_max_attempts: 3,
  /** How long a renewal may wait for its slot before it is deferred; below the edge's deadline slack. */
  renewal_wait_ms: 5_000,
  /** How long after the agent's start or a lost socket a browser counts as reconnecting; below the wait. */
  reconnect_grace_ms: 4_000,
  keep_ended_ms: 7 * 86_400_000,
  /** How long a renewal for a stopped browser is deferred. Resuming the browser ends the wait earlier. */
  stopped_recheck_ms: 300_000,
  /** The shortest time after its end before an uncertain delivery is searched for: a site shows it with a delay. */
  search_delay_ms: 2_000,
  /** An overloaded site shows a message late: a reply is searched for again after this, and absent counts from then on. */
  search_again_ms: 60_000,
  search_timeout_ms: 10_000,
  /** The shortest time between two reports of activity alone. */
  activity_report_ms: 60_000,
} as const;

/** Circuit breaker of a conversation: after so many in a row it is paused. */
export const CONVERSATION_BREAKER = {
  execution_failure: 3,
  repeated_message: 3,
  repeated_renewal: 3,
  no_progress: 5,
} as const;

/** The settings of renewal that apply where a person has set none with `PUT /v1/renewal/settings`. */
export const RENEWAL_SETTINGS = {
  time_zone: 'UTC',
  quiet_hours: null,
  max_in_a_row: 20,
  max_per_day: 200,
  end_at: null,
  max_without_effect: CONVERSATION_BREAKER.no_progress,
  max_repeats: CONVERSATION_BREAKER.repeated_renewal,
  cooldown_ms: 0,
  template: 'Please carry on from where you stopped.\n\nYour last message: {summary}\n\n{link}',
} as const;

export const BRIDGE = {
  default_local_api: 'http://127.0.0.1:4317',
  hello_timeout_ms: 5_000,
  pairing_window_ms: 300_000,
  /** Wrong codes of one extension, after which it is refused until the next window. */
  pairing_tries: 5,
  /** Wrong codes of all extensions together, after which the window closes: one guess in half a million succeeds. */
  pairing_tries_total: 200,
  pairing_code_digits: 8,
  /** Sockets of unpaired extensions that have not sent a code yet; a further one closes the oldest. */
  pairing_sockets: 16,
  /** Connections whose peer has not proved who it is; a further one closes the oldest. */
  max_strangers: 64,
  /** How long such a peer has to prove itself. */
  stranger_ms: 10_000,
  /** All connections to the local API. */
  max_connections: 512,
  /** Lines of the log about refused peers: this many at once, and this many a minute after that. */
  refusals_logged_burst: 20,
  refusals_logged_per_min: 6,
  pairing_wait_max_ms: 60_000,
  max_frame_bytes: 4 * 1024 * 1024,
  max_buffered_bytes: 8 * 1024 * 1024,
  heartbeat_ms: 15_000,
  /** How often the token of a connected browser is checked at the edge, beside the edge's own notice. */
  token_check_ms: 300_000,
  seen_messages: 2_000,
  max_body_bytes: 16 * 1024,
  /** Frames of one browser: this many a second, plus a burst such as its queue after a reconnect. */
  max_frames_per_sec: 100,
  frames_burst: 1_000,
  /** Wrong tokens a minute, of the local API and the bridge together, before they are rate limited. */
  auth_failures_per_min: 20,
} as const;

/** What every JSON body and frame may have at most, from any side. Deeper or wider JSON cannot be stored and read back. */
export const JSON_TEXT = {
  max_depth: 64,
  max_values: 250_000,
} as const;

/** The longest text that the edge writes into one field of its log. A stack fits. */
export const LOG_TEXT_MAX_CHARS = 4_000;

export const HTTP = {
  max_body_bytes: 1_500_000,
  list_limit: 20,
  list_limit_max: 200,
  request_timeout_ms: 15_000,
} as const;

/** The files of a run on its host. */
export const RUN_FILES = {
  /** The shortest time between two writes of `state.json` that are no transitions. */
  state_interval_ms: 250,
  /** Of one chunk of a log on its way to the edge. */
  chunk_bytes: 64 * 1024,
  /** A part of a chunk is sent when it has waited for so long. */
  flush_ms: 250,
  /** The same of an older run: each request writes rows at the edge, and a step may print a line a second all day. */
  later_flush: [
    { age_ms: 30_000, flush_ms: 2_000 },
    { age_ms: 600_000, flush_ms: 5_000 },
  ],
  /** Requests with logs of one run that wait in the outbox. More stays in the files until these have left. */
  max_waiting_requests: 4,
  /** Of the bytes of one request. */
  request_bytes: 256 * 1024,
  /** How often the logs of a running step are looked at, beside the notices of the system. */
  look_ms: 250,
} as const;

/** The process that runs the child of a run, and ends it. */
export const RUNNER = {
  /** How long before its deadline a run is ended, and how long before it the rest is killed. */
  deadline_margin_ms: 15_000,
  kill_margin_ms: 5_000,
  /** Between SIGTERM and SIGKILL. */
  kill_grace_ms: 10_000,
  /** How often the clocks are read: a machine that wakes up from sleep ends what is late within this time. */
  look_ms: 1_000,
} as const;

/** How long a link that signs a page in can be used. */
export const SIGN_IN_LINK_MS = 5 * 60_000;

export const COMMAND = { expiry_ms: 120_000, poll_interval_ms: 2_000 } as const;
/** Rows of D1 that Cloudflare's free plan has for a day, in UTC. */
export const FREE_PLAN = { rows_read: 5_000_000, rows_written: 100_000 } as const;

/** The days for which texts, calls and outputs are kept, unless the operator or a conversation says otherwise. */
export const TEXTS_KEPT = 90;
/** Nothing is removed by its age this soon after an update that brings this, or after another default. */
export const TEXTS_GRACE_MS = 7 * 86_400_000;

export const RETENTION = {
  tick_ms: 7 * 86_400_000,
  event_ms: 7 * 86_400_000,
  idempotency_ms: 86_400_000,
  sign_in_link_ms: 86_400_000,
  ended_session_ms: 86_400_000,
  /** Longer than a picture shows. */
  counter_ms: 60 * 86_400_000,
  task_ms: 90 * 86_400_000,
  ask_ms: 90 * 86_400_000,
  person_notice_ms: 30 * 86_400_000,
  grant_ms: 30 * 86_400_000,
} as const;
/** What the agent's store keeps of finished work. */
export const AGENT_KEEPS = {
  commands_ms: 7 * 86_400_000,
  /** Messages whose reply has ended, with their executions. */
  messages_ms: 30 * 86_400_000,
  refused_rows: 1_000,
  look_interval_ms: 86_400_000,
} as const;
/** The tick log that each agent keeps as files. */
export const TICK_LOG = {
  /** How often the leader reads the log. Other nodes read it each hour, so that ten thousand of them cost little. */
  leader_interval_ms: 60_000,
  standby_interval_ms: 3_600_000,
  page_size: 200,
  keep_ms: 30 * 86_400_000,
} as const;
export const SNAPSHOT_JOURNAL_ENTRIES = 50;
/** Up to how many open rows of a kind are counted, so that a count costs no more with a long queue. */
export const OPEN_COUNT_MAX = 1_000;
/** How often a node with a connected browser asks what waits for a person. */
export const NOTICE_HOURS_INTERVAL_MS = 60_000;
/** Runs on one node. */
export const NODE_RUNS = {
  /** How many of its runs a node has under way at once. */
  max_at_once: 4,
  /** How often a node asks for work by itself. An offer of the edge makes it ask at once. */
  claim_interval_ms: 30_000,
  /** The same while its channel is open, after the edge has said that no task is queued or running: an offer comes first. */
  idle_claim_interval_ms: 300_000,
  /** How often a running step is checkpointed, when something has changed. */
  checkpoint_interval_ms: 30_000,
  /** How long after its last use here the edge is asked whether a task has ended on another host, once a day. */
  ask_end_after_ms: 3_600_000,
  /** Tasks that are asked for in one look. */
  max_asked: 50,
  /** How long the run of a step is kept after the edge has its end. */
  keep_ms: 14 * 86_400_000,
  /** What runs and worktrees may take on the disk in all. */
  budget_mib: 10 * 1024,
  /** How soon the end of a run is stored again, after the store had no space for it. */
  store_retry_ms: 5_000,
  /** How long a repository is missing before steps of it are claimed, and fail; also between two such claims. */
  missing_repo_ms: 20_000,
} as const;
