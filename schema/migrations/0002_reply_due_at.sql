ALTER TABLE `instructions` ADD `approval_expires_at` integer;--> statement-breakpoint
CREATE INDEX `instructions_approvals` ON `instructions` (`approval_expires_at`) WHERE approval_expires_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE `messages` ADD `reply_due_at` integer;--> statement-breakpoint
CREATE INDEX `messages_reply_due` ON `messages` (`reply_due_at`) WHERE reply_due_at IS NOT NULL;