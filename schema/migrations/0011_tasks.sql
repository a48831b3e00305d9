-- Most of these tables are stored in the order of their key, so that it costs no row of an index. drizzle cannot express it.
CREATE TABLE `checkpoint_contents` (
	`task_id` text NOT NULL,
	`type` text NOT NULL,
	`step_id` text NOT NULL,
	`run_id` text NOT NULL,
	`seq` integer NOT NULL,
	`content` text NOT NULL,
	PRIMARY KEY(`task_id`, `type`, `step_id`)
);
--> statement-breakpoint
CREATE TABLE `checkpoints` (
	`run_id` text NOT NULL,
	`seq` integer NOT NULL,
	`step_id` text NOT NULL,
	`type` text NOT NULL,
	`size` integer NOT NULL,
	`sha256` text NOT NULL,
	`truncated` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`run_id`, `seq`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `run_logs` (
	`run_id` text NOT NULL,
	`log` text NOT NULL,
	`position` integer NOT NULL,
	`stream` text NOT NULL,
	`start` integer NOT NULL,
	`bytes` integer NOT NULL,
	`data` text NOT NULL,
	PRIMARY KEY(`run_id`, `log`, `position`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `runs` (
	`run_id` text PRIMARY KEY NOT NULL,
	`task_id` text NOT NULL,
	`step_id` text NOT NULL,
	`attempt` integer NOT NULL,
	`status` text NOT NULL,
	`controller_id` text NOT NULL,
	`worker_subject` text,
	`claim_key` text NOT NULL,
	`grace_ms` integer NOT NULL,
	`deadline_at` integer,
	`hand_over_at` integer,
	`interrupt_at` integer,
	`progress` text,
	`exit_code` integer,
	`signal` text,
	`summary` text,
	`error_code` text,
	`error_text` text,
	`checkpoint_seq` integer NOT NULL,
	`usage` text,
	`session_id` text,
	`log` text NOT NULL,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`finished_at` integer
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `runs_by_task` ON `runs` (`task_id`,`run_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `runs_by_claim` ON `runs` (`controller_id`,`claim_key`);--> statement-breakpoint
CREATE INDEX `runs_due` ON `runs` (`deadline_at`) WHERE status IN ('prepared', 'running');--> statement-breakpoint
CREATE INDEX `runs_live` ON `runs` (`controller_id`) WHERE status IN ('prepared', 'running');--> statement-breakpoint
CREATE TABLE `steps` (
	`step_id` text PRIMARY KEY NOT NULL,
	`task_id` text NOT NULL,
	`step_index` integer NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`input` text NOT NULL,
	`status` text NOT NULL,
	`attempt` integer NOT NULL,
	`max_attempts` integer NOT NULL,
	`timeout_ms` integer NOT NULL,
	`run_id` text,
	`needs` text NOT NULL,
	`target` text NOT NULL,
	`except_controller_id` text,
	`except_until` integer,
	`priority` integer NOT NULL,
	`ready` text,
	`summary` text,
	`error_code` text,
	`error_text` text,
	`started_at` integer,
	`finished_at` integer
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `steps_by_task` ON `steps` (`task_id`,`step_index`);--> statement-breakpoint
CREATE INDEX `steps_ready` ON `steps` (`target`,`needs`,`ready`,priority DESC,`step_id`) WHERE ready IS NOT NULL;--> statement-breakpoint
CREATE TABLE `task_dependencies` (
	`after_task_id` text NOT NULL,
	`task_id` text NOT NULL,
	PRIMARY KEY(`after_task_id`, `task_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `task_notices` (
	`task_id` text PRIMARY KEY NOT NULL,
	`local_conversation_id` text NOT NULL,
	`status` text NOT NULL,
	`message_text` text NOT NULL,
	`attempt_count` integer NOT NULL,
	`due_at` integer,
	`plan_id` text,
	`command_id` text,
	`last_error` text,
	`created_at` integer NOT NULL,
	`finished_at` integer
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `task_notices_due` ON `task_notices` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `tasks` (
	`task_id` text PRIMARY KEY NOT NULL,
	`status` text NOT NULL,
	`task_type` text NOT NULL,
	`repo` text,
	`title` text NOT NULL,
	`goal` text NOT NULL,
	`acceptance` text NOT NULL,
	`priority` integer NOT NULL,
	`constraints` text NOT NULL,
	`notify` integer NOT NULL,
	`hold_renewal` integer NOT NULL,
	`base_ref` text,
	`base_sha` text,
	`branch_name` text,
	`metadata` text NOT NULL,
	`created_by` text NOT NULL,
	`is_persons` integer NOT NULL,
	`local_conversation_id` text,
	`instruction_id` text,
	`has_own_steps` integer NOT NULL,
	`step_count` integer NOT NULL,
	`waits_for` integer NOT NULL,
	`current_step_index` integer NOT NULL,
	`assigned_controller_id` text,
	`result_summary` text,
	`error_code` text,
	`error_text` text,
	`cancel_requested_at` integer,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`finished_at` integer,
	`updated_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `tasks_open` ON `tasks` (`status`,`task_id`) WHERE status IN ('queued', 'running', 'blocked');--> statement-breakpoint
CREATE INDEX `tasks_ended` ON `tasks` (`finished_at`) WHERE finished_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `tasks_open_of_chat` ON `tasks` (`local_conversation_id`) WHERE local_conversation_id IS NOT NULL AND status IN ('queued', 'running', 'blocked');--> statement-breakpoint
ALTER TABLE `guard` ADD `not_leader` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `nodes` ADD `draining` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX `nodes_by_host` ON `nodes` (`host`);