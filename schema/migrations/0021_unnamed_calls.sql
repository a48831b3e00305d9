DROP INDEX `mcp_calls_by_call`;--> statement-breakpoint
CREATE INDEX `mcp_calls_by_call` ON `mcp_calls` (`token_id`,`call_hash`) WHERE operation_id IS NULL;