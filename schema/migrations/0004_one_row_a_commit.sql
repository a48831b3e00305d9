CREATE TABLE `event_batches` (
	`seq` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`events` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `journal_blocks` (
	`chain` text NOT NULL,
	`seq` integer NOT NULL,
	`at` integer NOT NULL,
	`message_id` text NOT NULL,
	`written_by` text,
	`entries` text NOT NULL,
	`prev_hash` text NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`chain`, `seq`)
);
--> statement-breakpoint
CREATE INDEX `journal_blocks_by_message` ON `journal_blocks` (`message_id`);--> statement-breakpoint
DROP TABLE `events`;--> statement-breakpoint
DROP TABLE `instruction_events`;--> statement-breakpoint
DROP INDEX `idempotency_keys_by_age`;--> statement-breakpoint
DROP INDEX `instructions_dedupe_key_unique`;--> statement-breakpoint
DROP INDEX `instructions_busy`;--> statement-breakpoint
DROP INDEX `instructions_approvals`;--> statement-breakpoint
DROP INDEX `instructions_claims`;--> statement-breakpoint
DROP INDEX `instructions_awaiting`;--> statement-breakpoint
CREATE INDEX `instructions_open` ON `instructions` (`local_conversation_id`) WHERE status IN ('claimed', 'waiting', 'awaiting_approval', 'running');--> statement-breakpoint
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_messages` (
	`ingest_seq` integer PRIMARY KEY NOT NULL,
	`message_id` text NOT NULL,
	`local_conversation_id` text NOT NULL,
	`platform` text NOT NULL,
	`remote_conversation_id` text NOT NULL,
	`assistant_message_id` text,
	`identity` text NOT NULL,
	`text_hash` text NOT NULL,
	`raw_text` text NOT NULL,
	`role` text NOT NULL,
	`controller_id` text NOT NULL,
	`client_id` text NOT NULL,
	`capture` text NOT NULL,
	`block_errors` text NOT NULL,
	`ingest_status` text NOT NULL,
	`reply_outcome` text,
	`reply_reason` text,
	`replied_at` integer,
	`reply_due_at` integer,
	`skip_reason` text,
	`resubmit_command_id` text,
	`observed_at` integer NOT NULL,
	`received_at` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_messages`("ingest_seq", "message_id", "local_conversation_id", "platform", "remote_conversation_id", "assistant_message_id", "identity", "text_hash", "raw_text", "role", "controller_id", "client_id", "capture", "block_errors", "ingest_status", "reply_outcome", "reply_reason", "replied_at", "reply_due_at", "skip_reason", "resubmit_command_id", "observed_at", "received_at") SELECT "ingest_seq", "message_id", "local_conversation_id", "platform", "remote_conversation_id", "assistant_message_id", "identity", "text_hash", "raw_text", "role", "controller_id", "client_id", "capture", "block_errors", "ingest_status", "reply_outcome", "reply_reason", "replied_at", "reply_due_at", "skip_reason", "resubmit_command_id", "observed_at", "received_at" FROM `messages`;--> statement-breakpoint
DROP TABLE `messages`;--> statement-breakpoint
ALTER TABLE `__new_messages` RENAME TO `messages`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
CREATE UNIQUE INDEX `messages_message_id_unique` ON `messages` (`message_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `messages_by_identity` ON `messages` (`local_conversation_id`,`identity`);--> statement-breakpoint
CREATE INDEX `messages_by_text` ON `messages` (`local_conversation_id`,`text_hash`);--> statement-breakpoint
CREATE INDEX `messages_reply_due` ON `messages` (`reply_due_at`) WHERE reply_due_at IS NOT NULL;--> statement-breakpoint
DROP INDEX `links_by_client`;--> statement-breakpoint
CREATE INDEX `links_by_client` ON `conversation_links` (`client_id`);--> statement-breakpoint
CREATE TABLE `__new_audit` (
	`seq` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`role` text NOT NULL,
	`action` text NOT NULL,
	`subject_id` text,
	`request_id` text NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_audit`("seq", "at", "actor", "role", "action", "subject_id", "request_id") SELECT "seq", "at", "actor", "role", "action", "subject_id", "request_id" FROM `audit`;--> statement-breakpoint
DROP TABLE `audit`;--> statement-breakpoint
ALTER TABLE `__new_audit` RENAME TO `audit`;--> statement-breakpoint
CREATE TABLE `__new_ticks` (
	`tick_seq` integer PRIMARY KEY NOT NULL,
	`batch_id` text NOT NULL,
	`trigger` text NOT NULL,
	`decision` text NOT NULL,
	`started_at` integer NOT NULL,
	`finished_at` integer NOT NULL,
	`entries` text NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_ticks`("tick_seq", "batch_id", "trigger", "decision", "started_at", "finished_at", "entries") SELECT "tick_seq", "batch_id", "trigger", "decision", "started_at", "finished_at", "entries" FROM `ticks`;--> statement-breakpoint
DROP TABLE `ticks`;--> statement-breakpoint
ALTER TABLE `__new_ticks` RENAME TO `ticks`;--> statement-breakpoint
CREATE UNIQUE INDEX `ticks_batch_id_unique` ON `ticks` (`batch_id`);--> statement-breakpoint
ALTER TABLE `outbox_marks` ADD `journal_seq` integer;--> statement-breakpoint
ALTER TABLE `outbox_marks` ADD `journal_hash` text;