/**
 * The agent's one SQLite file. Append-only: a step that has shipped is never edited, `PRAGMA user_version` says
 * how many have run.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  -- What the edge must hear of, in order per stream. A body is stored once and never altered.
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    context TEXT NOT NULL,           -- what the handler of the answer needs; never sent
    status TEXT NOT NULL CHECK (status IN ('pending', 'refused')),
    stored_at INTEGER NOT NULL,
    age_ms INTEGER NOT NULL,         -- how old it already was when it was stored
    attempts INTEGER NOT NULL DEFAULT 0,
    refusal TEXT,
    UNIQUE (stream, seq)
  ) STRICT;
  CREATE INDEX outbox_pending ON outbox (stream, seq) WHERE status = 'pending';
  CREATE TABLE outbox_streams (stream TEXT PRIMARY KEY, last_seq INTEGER NOT NULL) STRICT;

  -- Answers that have arrived and have not been worked off yet.
  CREATE TABLE answers (
    id INTEGER PRIMARY KEY,          -- the outbox id
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    context TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_at INTEGER NOT NULL
  ) STRICT;

  -- Messages in work and the instructions this host holds of them.
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
    started_at INTEGER,              -- the mark: set and synced before the effect
    finished_at INTEGER,
    result TEXT,                     -- InstructionResult as JSON, set together with its outbox row
    artifact_url TEXT,
    UNIQUE (message_id, idx)
  ) STRICT;
  CREATE INDEX executions_open ON executions (message_id, idx) WHERE status IN ('claimed', 'running');

  -- What is to be sent into a tab: replies and renewals.
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

  -- Commands seen, so that each is executed once however often it is sent.
  CREATE TABLE commands (
    command_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    result TEXT
  ) STRICT;

  -- Browsers that were paired. The token is kept as its SHA-256.
  CREATE TABLE pairings (
    client_id TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- The whole answer of a delivery, as the edge asks for it again. A renewal's subject is its newest command.
  ALTER TABLE deliveries ADD COLUMN result TEXT;
  CREATE INDEX deliveries_ended ON deliveries (updated_at) WHERE state = 'ended';

  -- Pacing of one browser and platform (delivery/policy.ts), so that a restart neither forgets nor hurries.
  CREATE TABLE delivery_slots (
    client_id TEXT NOT NULL,
    platform TEXT NOT NULL,
    slot TEXT NOT NULL,              -- Slot as JSON
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, platform)
  ) STRICT;

  -- What the edge was last told of each browser.
  CREATE TABLE browser_clients (
    client_id TEXT PRIMARY KEY,
    body TEXT NOT NULL,              -- ClientPutBody as JSON
    updated_at INTEGER NOT NULL
  ) STRICT;

  -- Final messages that were acknowledged: a repeat is acknowledged again and stored no second time.
  CREATE TABLE bridge_seen (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    UNIQUE (client_id, request_id)
  ) STRICT;
  `,
  `
  -- What a wake of the delivery manager asks for, and a browser's own messages.
  CREATE INDEX deliveries_paced ON deliveries (client_id, platform, kind, deadline_at, plan_id) WHERE state = 'queued';
  CREATE INDEX deliveries_deadline ON deliveries (deadline_at) WHERE state = 'queued';
  CREATE INDEX messages_client ON messages (client_id);
  `,
  `
  -- What a person approved: the effect happens only while its hash is still this one.
  ALTER TABLE executions ADD COLUMN approved_hash TEXT;
  -- The program that runs for it, as JSON: recovery ends one that outlived a killed agent.
  ALTER TABLE executions ADD COLUMN process TEXT;
  -- The edge was asked to do it, or to have another node do it.
  ALTER TABLE executions ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0;
  -- How often the message was worked on: a resubmitted one gets another reply.
  ALTER TABLE messages ADD COLUMN round INTEGER NOT NULL DEFAULT 1;
  `,
];
