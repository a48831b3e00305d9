/** Bindings that an edge may have, and that the generated types do not have, because wrangler.toml binds them for no one. */
interface Env {
  /** Keeps the checkpoints that are too large for D1. */
  CHECKPOINTS?: R2Bucket;
  /** `1`: notices may be sent to this machine, for tests and for trying them out. */
  BAA_NOTICES_LOCAL?: string;
}
