CREATE TABLE `asks` (
	`operation_id` text PRIMARY KEY NOT NULL,
	`local_conversation_id` text NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`message_text` text NOT NULL,
	`asked_by` text NOT NULL,
	`controller_id` text,
	`client_id` text,
	`command_id` text,
	`attempt_count` integer NOT NULL,
	`due_at` integer,
	`deadline_at` integer,
	`answer_message_id` text,
	`answer_evidence` text,
	`created_at` integer NOT NULL,
	`sent_at` integer,
	`delivered_at` integer,
	`finished_at` integer
);
--> statement-breakpoint
CREATE INDEX `asks_due` ON `asks` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `asks_by_conversation` ON `asks` (`local_conversation_id`,`created_at`);--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `open_ask` text;--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `forget_before` integer;--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `forgotten_before` integer;--> statement-breakpoint
ALTER TABLE `local_conversations` ADD `forgotten` text;--> statement-breakpoint
CREATE INDEX `conversations_to_forget` ON `local_conversations` (`forget_before`) WHERE forget_before IS NOT NULL;--> statement-breakpoint
ALTER TABLE `instructions` ADD `resolution` text;--> statement-breakpoint
ALTER TABLE `messages` ADD `forgotten_at` integer;--> statement-breakpoint
ALTER TABLE `journal_blocks` ADD `forgotten_at` integer;