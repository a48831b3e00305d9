CREATE TABLE `clients` (
	`client_id` text PRIMARY KEY NOT NULL,
	`controller_id` text NOT NULL,
	`connected` integer NOT NULL,
	`platforms` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `clients_by_node` ON `clients` (`controller_id`);--> statement-breakpoint
CREATE TABLE `conversation_links` (
	`link_id` text PRIMARY KEY NOT NULL,
	`local_conversation_id` text NOT NULL,
	`platform` text NOT NULL,
	`remote_conversation_id` text NOT NULL,
	`client_id` text NOT NULL,
	`controller_id` text NOT NULL,
	`page_url` text NOT NULL,
	`page_title` text,
	`route_path` text NOT NULL,
	`route_pattern` text,
	`route_params` text NOT NULL,
	`target_kind` text NOT NULL,
	`target_id` text NOT NULL,
	`target_payload` text NOT NULL,
	`is_active` integer NOT NULL,
	`fingerprint` text,
	`observed_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `links_active` ON `conversation_links` (`local_conversation_id`,`client_id`) WHERE is_active = 1;--> statement-breakpoint
CREATE INDEX `links_by_client` ON `conversation_links` (`client_id`,`observed_at`);--> statement-breakpoint
CREATE TABLE `local_conversations` (
	`local_conversation_id` text PRIMARY KEY NOT NULL,
	`platform` text NOT NULL,
	`remote_conversation_id` text NOT NULL,
	`automation_status` text NOT NULL,
	`last_non_paused_automation_status` text NOT NULL,
	`pause_reason` text,
	`paused_at` integer,
	`title` text,
	`last_message_id` text,
	`last_message_at` integer,
	`execution_failures` integer DEFAULT 0 NOT NULL,
	`repeated_messages` integer DEFAULT 0 NOT NULL,
	`repeated_renewals` integer DEFAULT 0 NOT NULL,
	`renewals_without_effect` integer DEFAULT 0 NOT NULL,
	`renewals_in_row` integer DEFAULT 0 NOT NULL,
	`renewed_text_hash` text,
	`renewals_day` text,
	`renewals_that_day` integer DEFAULT 0 NOT NULL,
	`cooldown_until` integer,
	`cooldown_reason` text,
	`project_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `conversations_by_remote` ON `local_conversations` (`platform`,`remote_conversation_id`);--> statement-breakpoint
CREATE INDEX `conversations_to_project` ON `local_conversations` (`project_at`) WHERE project_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `commands` (
	`command_id` text PRIMARY KEY NOT NULL,
	`controller_id` text NOT NULL,
	`kind` text NOT NULL,
	`body` text NOT NULL,
	`status` text NOT NULL,
	`code` text,
	`result` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`received_at` integer,
	`finished_at` integer
);
--> statement-breakpoint
CREATE INDEX `commands_pending` ON `commands` (`controller_id`,`command_id`) WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX `commands_open` ON `commands` (`expires_at`) WHERE status IN ('pending', 'received');--> statement-breakpoint
CREATE TABLE `events` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`topic` text NOT NULL,
	`type` text NOT NULL,
	`subject_id` text NOT NULL,
	`data` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `fence` (
	`id` integer PRIMARY KEY NOT NULL,
	`term` integer NOT NULL,
	`holder_id` text,
	`mode` text NOT NULL,
	`mode_version` integer NOT NULL,
	`epoch` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `guard` (
	`stale_term` integer DEFAULT 0 NOT NULL,
	`system_paused` integer DEFAULT 0 NOT NULL,
	`changed` integer DEFAULT 0 NOT NULL,
	`stale_run` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `leader_terms` (
	`term` integer PRIMARY KEY NOT NULL,
	`holder_id` text NOT NULL,
	`holder_host` text NOT NULL,
	`acquired_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `nodes` (
	`controller_id` text PRIMARY KEY NOT NULL,
	`host` text NOT NULL,
	`role` text NOT NULL,
	`priority` integer NOT NULL,
	`status` text NOT NULL,
	`version` text,
	`metadata` text NOT NULL,
	`started_at` integer,
	`last_heartbeat_at` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `audit` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`role` text NOT NULL,
	`action` text NOT NULL,
	`subject_id` text,
	`request_id` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`token_id` text NOT NULL,
	`key` text NOT NULL,
	`body_hash` text NOT NULL,
	`status` integer NOT NULL,
	`answer` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`token_id`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_by_age` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
CREATE TABLE `outbox_marks` (
	`controller_id` text NOT NULL,
	`outbox_id` text NOT NULL,
	`stream` text NOT NULL,
	`seq` integer NOT NULL,
	`body_hash` text NOT NULL,
	`status` integer NOT NULL,
	`answer` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`controller_id`, `outbox_id`, `stream`)
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`token_id` text PRIMARY KEY NOT NULL,
	`token_hash` text NOT NULL,
	`role` text NOT NULL,
	`subject` text NOT NULL,
	`controller_id` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer,
	`last_used_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_token_hash_unique` ON `tokens` (`token_hash`);--> statement-breakpoint
CREATE TABLE `artifacts` (
	`artifact_id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`instruction_id` text,
	`content` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `instruction_events` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`instruction_id` text NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`controller_id` text,
	`detail` text NOT NULL,
	`chain` text,
	`chain_seq` integer,
	`prev_hash` text,
	`hash` text
);
--> statement-breakpoint
CREATE INDEX `instruction_events_by_instruction` ON `instruction_events` (`instruction_id`,`seq`);--> statement-breakpoint
CREATE UNIQUE INDEX `instruction_events_by_chain` ON `instruction_events` (`chain`,`chain_seq`);--> statement-breakpoint
CREATE TABLE `instructions` (
	`instruction_id` text PRIMARY KEY NOT NULL,
	`dedupe_key` text NOT NULL,
	`message_id` text NOT NULL,
	`local_conversation_id` text NOT NULL,
	`controller_id` text NOT NULL,
	`block_index` integer NOT NULL,
	`index` integer NOT NULL,
	`target` text NOT NULL,
	`tool` text NOT NULL,
	`params` text NOT NULL,
	`status` text NOT NULL,
	`policy` text NOT NULL,
	`gate` text,
	`approval` text,
	`timeout_ms` integer NOT NULL,
	`claim_expires_at` integer,
	`started_at` integer,
	`finished_at` integer,
	`exit_code` integer,
	`error_code` text,
	`duration_ms` integer,
	`output_summary` text,
	`artifact_id` text,
	`truncated` integer DEFAULT false NOT NULL,
	`late_result` text,
	`command_id` text,
	`cancel_requested_at` integer,
	`output_chars` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `instructions_dedupe_key_unique` ON `instructions` (`dedupe_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `instructions_by_message` ON `instructions` (`message_id`,`index`);--> statement-breakpoint
CREATE INDEX `instructions_busy` ON `instructions` (`local_conversation_id`) WHERE status IN ('claimed', 'running');--> statement-breakpoint
CREATE INDEX `instructions_claims` ON `instructions` (`claim_expires_at`) WHERE claim_expires_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `instructions_awaiting` ON `instructions` (`instruction_id`) WHERE status = 'awaiting_approval';--> statement-breakpoint
CREATE TABLE `journal_heads` (
	`chain` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `messages` (
	`ingest_seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`message_id` text NOT NULL,
	`local_conversation_id` text NOT NULL,
	`platform` text NOT NULL,
	`remote_conversation_id` text NOT NULL,
	`assistant_message_id` text,
	`identity` text NOT NULL,
	`text_hash` text NOT NULL,
	`raw_text` text NOT NULL,
	`role` text NOT NULL,
	`controller_id` text NOT NULL,
	`client_id` text NOT NULL,
	`capture` text NOT NULL,
	`block_errors` text NOT NULL,
	`ingest_status` text NOT NULL,
	`reply_outcome` text,
	`reply_reason` text,
	`replied_at` integer,
	`skip_reason` text,
	`resubmit_command_id` text,
	`observed_at` integer NOT NULL,
	`received_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `messages_message_id_unique` ON `messages` (`message_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `messages_by_identity` ON `messages` (`local_conversation_id`,`identity`);--> statement-breakpoint
CREATE INDEX `messages_by_text` ON `messages` (`local_conversation_id`,`text_hash`);--> statement-breakpoint
CREATE INDEX `messages_by_conversation` ON `messages` (`local_conversation_id`,`ingest_seq`);--> statement-breakpoint
CREATE TABLE `renewal_jobs` (
	`job_id` text PRIMARY KEY NOT NULL,
	`local_conversation_id` text NOT NULL,
	`message_id` text NOT NULL,
	`status` text NOT NULL,
	`payload` text NOT NULL,
	`payload_kind` text NOT NULL,
	`payload_text` text,
	`target_snapshot` text,
	`plan_id` text,
	`batch_id` text,
	`attempt_count` integer NOT NULL,
	`max_attempts` integer NOT NULL,
	`next_attempt_at` integer,
	`deadline_at` integer,
	`last_attempt_at` integer,
	`last_error` text,
	`log_path` text,
	`started_at` integer,
	`finished_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `renewal_jobs_message_id_unique` ON `renewal_jobs` (`message_id`);--> statement-breakpoint
CREATE INDEX `renewal_jobs_due` ON `renewal_jobs` (`next_attempt_at`) WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX `renewal_jobs_running` ON `renewal_jobs` (`deadline_at`) WHERE status = 'running';--> statement-breakpoint
CREATE INDEX `renewal_jobs_by_conversation` ON `renewal_jobs` (`local_conversation_id`,`job_id`);--> statement-breakpoint
CREATE TABLE `renewal_settings` (
	`scope` text PRIMARY KEY NOT NULL,
	`settings` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `runner_cursors` (
	`runner` text PRIMARY KEY NOT NULL,
	`position` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `ticks` (
	`tick_seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`batch_id` text NOT NULL,
	`trigger` text NOT NULL,
	`decision` text NOT NULL,
	`started_at` integer NOT NULL,
	`finished_at` integer NOT NULL,
	`entries` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ticks_batch_id_unique` ON `ticks` (`batch_id`);