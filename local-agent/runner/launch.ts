/**
 * What a runner starts. It arrives on the runner's standard input, so that the secrets in `env` are never on the disk, and
 * an agent that dies while it writes starts nothing: the text is not whole then. The runner has no zod, which would cost
 * each run 100 ms and 18 MB; both sides are of one version.
 */
export interface Launch {
  /** Also the mark by which everything that the child starts is found. */
  run_id: string;
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  /** Its standard input; null for none. */
  stdin: string | null;
  timeout_ms: number;
}

/** The launch that an agent wrote; null when it is not whole: the text of an object that was cut off is no JSON. */
export function readLaunch(text: string): Launch | null {
  try {
    return JSON.parse(text) as Launch;
  } catch {
    return null;
  }
}
