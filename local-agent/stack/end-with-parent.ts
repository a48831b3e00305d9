/** Preloaded into the agent when the stack starts it: when the stack is gone, the agent stops as on SIGTERM. */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
