/** The steps that make the tables of the agent's file. See migrate.ts for what may be changed here: add to the end only. */
import type { Migration } from './migrate.ts';

export const MIGRATIONS: readonly Migration[] = [
  {
    id: 'messages-outbox-deliveries',
    sql: `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  -- Requests to the edge, in order per stream. A body is stored once and never altered.
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    context TEXT NOT NULL,           -- for the handler of the response; never sent
    status TEXT NOT NULL CHECK (status IN ('pending', 'refused')),
    stored_at INTEGER NOT NULL,
    age_ms INTEGER NOT NULL,         -- how old the fact was when it was stored
    attempts INTEGER NOT NULL DEFAULT 0,
    refusal TEXT,
    UNIQUE (stream, seq)
  ) STRICT;
  CREATE INDEX outbox_pending ON outbox (stream, seq) WHERE status = 'pending';
  CREATE TABLE outbox_streams (stream TEXT PRIMARY KEY, last_seq INTEGER NOT NULL) STRICT;

  -- Responses whose handlers have not run yet.
  CREATE TABLE answers (
    id INTEGER PRIMARY KEY,          -- the outbox id
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    context TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_at INTEGER NOT NULL
  ) STRICT;

  -- Messages of this node's browsers, and their instructions.
  CREATE TABLE messages (
    message_id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    platform TEXT NOT NULL,
    remote_conversation_id TEXT NOT NULL,
    local_conversation_id TEXT NOT NULL,
    ingest_status TEXT NOT NULL,
    target TEXT NOT NULL,            -- TargetPayload as JSON: where the reply goes
    assistant_message_id TEXT,
    block_errors TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('executing', 'replying', 'done')),
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE executions (
    instruction_id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    idx INTEGER NOT NULL,
    name TEXT NOT NULL,
    params TEXT NOT NULL,
    status TEXT NOT NULL,            -- InstructionState
    gate TEXT,
    claim_until INTEGER,             -- wall clock, Unix ms
    started_at INTEGER,              -- the mark, committed before the effect
    finished_at INTEGER,
    result TEXT,                     -- InstructionResult as JSON, set together with its outbox row
    artifact_url TEXT,
    UNIQUE (message_id, idx)
  ) STRICT;
  CREATE INDEX executions_open ON executions (message_id, idx) WHERE status IN ('claimed', 'running');

  -- Messages to send into a tab: replies and renewals.
  CREATE TABLE deliveries (
    plan_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('reply', 'renewal')),
    subject_id TEXT NOT NULL,        -- message_id of a reply, command_id of a renewal
    platform TEXT NOT NULL,
    client_id TEXT NOT NULL,
    conversation_id TEXT,
    target TEXT NOT NULL,
    message_text TEXT NOT NULL,
    assistant_message_id TEXT,
    timeout_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'ended')),
    attempt INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    deadline_at INTEGER,
    outcome TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX deliveries_queued ON deliveries (next_at) WHERE state = 'queued';

  -- Commands taken, so that each is executed once however often it arrives.
  CREATE TABLE commands (
    command_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    result TEXT
  ) STRICT;

  -- Paired browsers. Of the token only the SHA-256 is kept.
  CREATE TABLE pairings (
    client_id TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  `,
  },
  {
    id: 'delivery-pacing-and-browsers',
    sql: `
  -- DeliveryResult as JSON, for when the edge asks again. A renewal's subject is its newest command.
  ALTER TABLE deliveries ADD COLUMN result TEXT;
  CREATE INDEX deliveries_ended ON deliveries (updated_at) WHERE state = 'ended';

  -- Pacing state of one browser on one platform (delivery/policy.ts), so that it survives a restart.
  CREATE TABLE delivery_slots (
    client_id TEXT NOT NULL,
    platform TEXT NOT NULL,
    slot TEXT NOT NULL,              -- Slot as JSON
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, platform)
  ) STRICT;

  -- The state of each browser as last reported to the edge.
  CREATE TABLE browser_clients (
    client_id TEXT PRIMARY KEY,
    body TEXT NOT NULL,              -- ClientPutBody as JSON
    updated_at INTEGER NOT NULL
  ) STRICT;

  -- Acknowledged final messages: a repeat is acknowledged again and not stored again.
  CREATE TABLE bridge_seen (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    UNIQUE (client_id, request_id)
  ) STRICT;
  `,
  },
  {
    id: 'delivery-indexes',
    sql: `
  -- For the queries of a scheduler run, and for the messages of one browser.
  CREATE INDEX deliveries_paced ON deliveries (client_id, platform, kind, deadline_at, plan_id) WHERE state = 'queued';
  CREATE INDEX deliveries_deadline ON deliveries (deadline_at) WHERE state = 'queued';
  CREATE INDEX messages_client ON messages (client_id);
  `,
  },
  {
    id: 'approvals-and-processes',
    sql: `
  -- What a person approved: the effect happens only while the hash is still this one.
  ALTER TABLE executions ADD COLUMN approved_hash TEXT;
  -- The program that runs for it, as JSON: recovery kills it when it outlived a killed agent.
  ALTER TABLE executions ADD COLUMN process TEXT;
  -- 1 when the edge runs it or has another node run it.
  ALTER TABLE executions ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0;
  -- Counts up when the message is resubmitted: each round has its own reply.
  ALTER TABLE messages ADD COLUMN round INTEGER NOT NULL DEFAULT 1;
  `,
  },
  {
    id: 'delivery-kinds',
    sql: `
  -- Prompts become a kind, and subject_kind says what subject_id names. SQLite cannot alter a CHECK: the table is rebuilt.
  CREATE TABLE deliveries_by_kind (
    plan_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('reply', 'renewal', 'prompt')),
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('message', 'command', 'instruction')),
    subject_id TEXT NOT NULL,        -- of a renewal: its newest command
    platform TEXT NOT NULL,
    client_id TEXT NOT NULL,
    conversation_id TEXT,
    target TEXT NOT NULL,
    message_text TEXT NOT NULL,
    assistant_message_id TEXT,
    timeout_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'ended')),
    attempt INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    outcome TEXT,
    result TEXT,                     -- DeliveryResult as JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((kind = 'reply') = (subject_kind = 'message')),
    CHECK (kind <> 'renewal' OR subject_kind = 'command')
  ) STRICT;
  INSERT INTO deliveries_by_kind
    SELECT plan_id, iif(plan_id GLOB 'prompt:*', 'prompt', kind),
      CASE WHEN kind = 'reply' THEN 'message'
        WHEN plan_id GLOB 'prompt:*' AND subject_id NOT GLOB 'cmd_*' THEN 'instruction'
        ELSE 'command' END,
      subject_id, platform, client_id, conversation_id, target, message_text, assistant_message_id, timeout_ms, state,
      attempt, next_at, coalesce(deadline_at, next_at), outcome, result, created_at, updated_at
    FROM deliveries;
  DROP TABLE deliveries;
  ALTER TABLE deliveries_by_kind RENAME TO deliveries;
  CREATE INDEX deliveries_queued ON deliveries (next_at) WHERE state = 'queued';
  CREATE INDEX deliveries_deadline ON deliveries (deadline_at) WHERE state = 'queued';
  -- Replies go first, renewals and prompts after them, by deadline.
  CREATE INDEX deliveries_paced ON deliveries (client_id, platform, kind = 'reply', deadline_at, plan_id)
    WHERE state = 'queued';
  CREATE INDEX deliveries_ended ON deliveries (updated_at) WHERE state = 'ended';
  `,
  },
  {
    id: 'progress',
    sql: `
  -- What a request to the edge already carries: nothing, the start, or the result.
  ALTER TABLE executions ADD COLUMN reported TEXT NOT NULL DEFAULT 'nothing'
    CHECK (reported IN ('nothing', 'started', 'result'));
  -- 1 while a progress request of the message is in the outbox: there is at most one.
  ALTER TABLE messages ADD COLUMN progress_pending INTEGER NOT NULL DEFAULT 0;
  `,
  },
  {
    id: 'remote-executions',
    sql: 'ALTER TABLE executions RENAME COLUMN elsewhere TO is_remote;',
  },
  {
    id: 'asked-after',
    sql: `
  -- The order in which executions ended on this node, whatever its clock says: which ended after a question was asked.
  ALTER TABLE executions ADD COLUMN ended_seq INTEGER;
  -- Of one that asks a person: the last ended_seq when it was judged, and the time of that.
  ALTER TABLE executions ADD COLUMN asked_seq INTEGER;
  ALTER TABLE executions ADD COLUMN asked_at INTEGER;
  CREATE INDEX executions_ended ON executions (ended_seq) WHERE ended_seq IS NOT NULL;
  CREATE INDEX executions_running ON executions (started_at) WHERE started_at IS NOT NULL AND result IS NULL;
  `,
  },
  {
    id: 'runs',
    sql: `
  -- Runs that this node has claimed. What they print and leave is in their folders.
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    task_id TEXT NOT NULL,
    claim TEXT NOT NULL,             -- ClaimedRun as JSON
    stage TEXT NOT NULL CHECK (stage IN ('claimed', 'started', 'ended', 'reported')),
    deadline TEXT NOT NULL,          -- Clocks as JSON, by the last acknowledged heartbeat
    stop TEXT,                       -- why this node ends it
    base_sha TEXT,
    session_id TEXT,                 -- of the coding agent
    sent TEXT NOT NULL,              -- how many bytes of each log were handed on, as JSON
    claimed_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX runs_open ON runs (claimed_at) WHERE stage <> 'reported';
  CREATE INDEX runs_task ON runs (task_id, claimed_at);

  -- What a session of a coding agent had used in all after its last run, for agents that count over a session.
  CREATE TABLE agent_sessions (
    session_id TEXT PRIMARY KEY,
    usage TEXT NOT NULL,             -- RunUsage as JSON
    updated_at INTEGER NOT NULL
  ) STRICT;
  `,
  },
  {
    id: 'task-folders',
    sql: `
  -- What the tasks of this node take on its disk: their runs and their worktree, measured after each run.
  CREATE TABLE task_folders (
    task_id TEXT PRIMARY KEY,
    repo TEXT,
    bytes INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    has_ended INTEGER NOT NULL       -- 1 when the edge said so, or no run of the task is in this file
  ) STRICT;
  CREATE INDEX task_folders_oldest ON task_folders (used_at);
  `,
  },
  {
    id: 'runs-without-session',
    sql: `
  -- Only an event of a coding agent says that a session exists, and events are read again from the output of the run.
  ALTER TABLE runs DROP COLUMN session_id;
  `,
  },
];
