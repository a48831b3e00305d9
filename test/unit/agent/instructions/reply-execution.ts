import type { ReplyExecution } from '../../../../local-agent/instructions/reply.ts';

/** A successful execution with that output, as a reply shows it. */
export function execution(output: string, with_: Partial<ReplyExecution> = {}): ReplyExecution {
  const result = {
    status: with_.status === 'failed' ? ('failed' as const) : ('succeeded' as const),
    output,
    exit_code: 0,
    error_code: null,
    duration_ms: 12,
    truncated: false,
  };
  const row = { instruction_id: 'ins_1', idx: 0, name: 'conductor::exec', status: 'succeeded', gate: null } as const;
  return { ...row, artifact_url: null, result, ...with_ };
}
