DROP INDEX `instructions_open`;--> statement-breakpoint
ALTER TABLE `instructions` ADD `watched` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX `instructions_due` ON `instructions` (`claim_expires_at`) WHERE watched = 1 AND status IN ('claimed', 'running');--> statement-breakpoint
CREATE INDEX `instructions_open` ON `instructions` (`watched`,`local_conversation_id`) WHERE status IN ('claimed', 'waiting', 'awaiting_approval', 'running');