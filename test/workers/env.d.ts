declare namespace Cloudflare {
  interface Env {
    /** No edge has it, unless a test binds it as `CHECKPOINTS`. */
    TEST_BUCKET: R2Bucket;
    TEST_MIGRATIONS: import('@cloudflare/vitest-plugin').D1Migration[];
  }
}
