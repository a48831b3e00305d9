/** All tables, for drizzle's client and its migration generator. */
export * from './asks.ts';
export * from './conversations.ts';
export * from './coordination.ts';
export * from './counters.ts';
export * from './grants.ts';
export * from './identity.ts';
export * from './instructions.ts';
export * from './journal.ts';
export * from './mcp.ts';
export * from './notices.ts';
export * from './renewal.ts';
export * from './runs.ts';
export * from './tasks.ts';
