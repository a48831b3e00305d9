-- Stores these tables in the order of their key, so that the key costs no row of an index. drizzle cannot express it.
CREATE TABLE `__new_instructions` (
	`instruction_id` text PRIMARY KEY NOT NULL,
	`dedupe_key` text NOT NULL,
	`message_id` text NOT NULL,
	`local_conversation_id` text NOT NULL,
	`controller_id` text NOT NULL,
	`block_index` integer NOT NULL,
	`index` integer NOT NULL,
	`target` text NOT NULL,
	`tool` text NOT NULL,
	`params` text NOT NULL,
	`status` text NOT NULL,
	`policy` text NOT NULL,
	`gate` text,
	`approval` text,
	`timeout_ms` integer NOT NULL,
	`claim_expires_at` integer,
	`started_at` integer,
	`finished_at` integer,
	`exit_code` integer,
	`error_code` text,
	`duration_ms` integer,
	`output_summary` text,
	`artifact_id` text,
	`truncated` integer DEFAULT false NOT NULL,
	`late_result` text,
	`command_id` text,
	`cancel_requested_at` integer,
	`output_chars` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
, `approval_expires_at` integer) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_instructions` SELECT * FROM `instructions`;
--> statement-breakpoint
DROP TABLE `instructions`;
--> statement-breakpoint
ALTER TABLE `__new_instructions` RENAME TO `instructions`;
--> statement-breakpoint
CREATE UNIQUE INDEX `instructions_by_message` ON `instructions` (`message_id`,`index`);
--> statement-breakpoint
CREATE INDEX `instructions_open` ON `instructions` (`local_conversation_id`) WHERE status IN ('claimed', 'waiting', 'awaiting_approval', 'running');
--> statement-breakpoint
CREATE TABLE `__new_journal_blocks` (
	`chain` text NOT NULL,
	`seq` integer NOT NULL,
	`at` integer NOT NULL,
	`message_id` text NOT NULL,
	`written_by` text,
	`entries` text NOT NULL,
	`prev_hash` text NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`chain`, `seq`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_journal_blocks` SELECT * FROM `journal_blocks`;
--> statement-breakpoint
DROP TABLE `journal_blocks`;
--> statement-breakpoint
ALTER TABLE `__new_journal_blocks` RENAME TO `journal_blocks`;
--> statement-breakpoint
CREATE INDEX `journal_blocks_by_message` ON `journal_blocks` (`message_id`);
