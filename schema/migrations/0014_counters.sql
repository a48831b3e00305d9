CREATE TABLE `hourly_counters` (
	`hour` integer PRIMARY KEY NOT NULL,
	`event_seq` integer NOT NULL,
	`counts` text NOT NULL
);
--> statement-breakpoint
ALTER TABLE `event_batches` ADD `ended` text;