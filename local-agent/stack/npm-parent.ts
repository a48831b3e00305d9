/**
 * Under `npm start`, npm is the parent of this process, because the script begins with `exec`. npm passes SIGINT and SIGTERM
 * on; a SIGHUP or SIGKILL of npm alone reaches nothing else, and is noticed here by the change of the parent.
 */
const LOOK_MS = 1_000;

/** Calls `run` once when the npm that started this process has ended. Does nothing when npm did not start it. */
export function onNpmEnd(run: () => void): void {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(timer);
    run();
  }, LOOK_MS).unref();
}
