CREATE TABLE `journal_heads` (
	`chain` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `renewal_settings` (
	`scope` text PRIMARY KEY NOT NULL,
	`settings` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `conversation_links` ADD `fingerprint` text;--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `renewals_in_row` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `renewed_text_hash` text;--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `renewals_day` text;--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `renewals_that_day` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `cooldown_reason` text;--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `project_at` integer;--> statement-breakpoint
CREATE INDEX `conversations_to_project` ON `local_conversations` (`project_at`) WHERE project_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE `instruction_events` ADD `chain` text;--> statement-breakpoint
ALTER TABLE `instruction_events` ADD `chain_seq` integer;--> statement-breakpoint
ALTER TABLE `instruction_events` ADD `prev_hash` text;--> statement-breakpoint
ALTER TABLE `instruction_events` ADD `hash` text;--> statement-breakpoint
CREATE UNIQUE INDEX `instruction_events_by_chain` ON `instruction_events` (`chain`,`chain_seq`);--> statement-breakpoint
ALTER TABLE `instructions` ADD `command_id` text;--> statement-breakpoint
ALTER TABLE `instructions` ADD `output_chars` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `instructions_awaiting` ON `instructions` (`instruction_id`) WHERE status = 'awaiting_approval';--> statement-breakpoint
ALTER TABLE `messages` ADD `resubmit_command_id` text;