ALTER TABLE `renewal_jobs` ADD `attempts` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
CREATE INDEX `instructions_interrupted` ON `instructions` (`finished_at`) WHERE status = 'interrupted';