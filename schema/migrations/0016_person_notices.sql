CREATE TABLE `notice_settings` (
	`id` integer PRIMARY KEY NOT NULL,
	`address_origin` text NOT NULL,
	`sealed` text NOT NULL,
	`has_secret` integer NOT NULL,
	`format` text NOT NULL,
	`language` text NOT NULL,
	`quiet_hours` text,
	`time_zone` text NOT NULL,
	`page_origin` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `person_notices` (
	`notice_id` text PRIMARY KEY NOT NULL,
	`cause` text NOT NULL,
	`object_id` text NOT NULL,
	`part` text NOT NULL,
	`since` integer NOT NULL,
	`state` text NOT NULL,
	`attempt_count` integer NOT NULL,
	`due_at` integer,
	`last_error` text,
	`created_at` integer NOT NULL,
	`sent_at` integer,
	`accepted_at` integer,
	`ended_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `person_notices_open` ON `person_notices` (`cause`,`object_id`,`part`) WHERE ended_at IS NULL;--> statement-breakpoint
CREATE INDEX `person_notices_sent` ON `person_notices` (`notice_id`) WHERE state <> 'waiting';--> statement-breakpoint
CREATE INDEX `clients_stopped` ON `clients` (`client_id`) WHERE instr(platforms, '"stopped_reason":"') > 0;--> statement-breakpoint
CREATE INDEX `conversations_paused` ON `local_conversations` (`paused_at`) WHERE paused_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `tasks_blocked` ON `tasks` (`updated_at`) WHERE status = 'blocked';