DROP INDEX `links_active`;--> statement-breakpoint
DROP INDEX `links_by_client`;--> statement-breakpoint
ALTER TABLE `conversation_links` ADD `failed_at` integer;--> statement-breakpoint
CREATE UNIQUE INDEX `links_by_conversation` ON `conversation_links` (`local_conversation_id`,`client_id`);--> statement-breakpoint
CREATE INDEX `links_by_client` ON `conversation_links` (`client_id`,`is_active`);--> statement-breakpoint
ALTER TABLE `instructions` ADD `claimed_at` integer;--> statement-breakpoint
CREATE INDEX `instructions_to_approve` ON `instructions` (`approval_expires_at`) WHERE status = 'awaiting_approval';