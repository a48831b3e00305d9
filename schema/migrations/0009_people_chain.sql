ALTER TABLE `audit` ADD `chain_seq` integer;--> statement-breakpoint
ALTER TABLE `audit` ADD `prev_hash` text;--> statement-breakpoint
ALTER TABLE `audit` ADD `hash` text;--> statement-breakpoint
CREATE UNIQUE INDEX `audit_chain` ON `audit` (`chain_seq`) WHERE chain_seq IS NOT NULL;