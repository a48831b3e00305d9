/** Preloaded into an agent that the stack starts: when the stack ends, the agent stops as on SIGTERM. */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
