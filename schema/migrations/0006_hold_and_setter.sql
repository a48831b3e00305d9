ALTER TABLE `local_conversations` ADD `status_set_by` text;--> statement-breakpoint
ALTER TABLE `fence` ADD `hold` integer DEFAULT false NOT NULL;