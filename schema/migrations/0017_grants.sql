CREATE TABLE `grants` (
	`grant_id` text PRIMARY KEY NOT NULL,
	`local_conversation_id` text NOT NULL,
	`controller_id` text NOT NULL,
	`argv` text NOT NULL,
	`further_items` integer NOT NULL,
	`folder` text NOT NULL,
	`uses` integer DEFAULT 0 NOT NULL,
	`max_uses` integer NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`revoked_by` text,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE INDEX `grants_by_conversation` ON `grants` (`local_conversation_id`,`expires_at`);--> statement-breakpoint
ALTER TABLE `instructions` ADD `grant_id` text;