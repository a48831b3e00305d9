CREATE TABLE `mcp_calls` (
	`message_id` text PRIMARY KEY NOT NULL,
	`token_id` text NOT NULL,
	`subject` text NOT NULL,
	`operation_id` text,
	`request_id` text NOT NULL,
	`call_hash` text NOT NULL,
	`mcp_tool` text NOT NULL,
	`name` text,
	`params` text,
	`instruction_id` text,
	`local_conversation_id` text,
	`controller_id` text,
	`command_id` text,
	`response` text,
	`created_at` integer NOT NULL,
	`ended_at` integer
);
--> statement-breakpoint
CREATE INDEX `mcp_calls_by_call` ON `mcp_calls` (`token_id`,`call_hash`);--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_calls_by_operation` ON `mcp_calls` (`token_id`,`operation_id`) WHERE operation_id IS NOT NULL;