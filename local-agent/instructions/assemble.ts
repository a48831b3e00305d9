/** All of the instructions on this host, put together: policy, tools, pipeline, and the handlers of its answers. */
import type { Logger } from 'pino';
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import type { Clock } from '../clock.ts';
import type { ReplyQueue } from '../delivery/replies.ts';
import type { AnswerHandler } from '../edge/answer-handlers.ts';
import type { Store } from '../store/store.ts';
import { pipelineAnswers } from './answers.ts';
import { HostPolicy } from './host-policy.ts';
import { Pipeline } from './pipeline.ts';
import { PolicyFile } from './policy-file.ts';

export interface InstructionsDeps {
  store: Store;
  controllerId: string;
  replies: ReplyQueue;
  clock: Pick<Clock, 'now' | 'monotonic'>;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** `policy.json`. */
  policyPath: string;
  /** Where tools may work when the policy names no roots. */
  workspace: string;
  /** What belongs to the agent beside `policy.json`: `config.toml`, the state folder. */
  protectedPaths: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  timeouts: { timeoutMs: number; execTimeoutMs: number };
  /** An output longer than that is delivered as a summary with a link. */
  inlineChars: number;
  newTemporaryName: () => string;
  /** A message or an execution has changed in SQLite. */
  onChange: () => void;
}

export interface Instructions {
  /** Stores a final message; call it in the transaction after which it is acknowledged. */
  onFinalMessage(frame: FinalMessage, ageMs: number): void;
  /** Handlers of the edge's answers to the outbox rows that are written here, by kind. */
  readonly answers: Readonly<Record<string, AnswerHandler>>;
  /** At start-up, after the stored answers are worked off and before new messages are taken. */
  recover(): void;
  /** Instructions as the edge has them now (`changed {instructions}` or `{approvals}`, re-read). */
  observe(instructions: readonly Pick<Instruction, 'instruction_id' | 'status' | 'gate'>[]): void;
  /** What is wrong with `policy.json`; null when nothing is. */
  policyProblem(): string | null;
  /** Ends what runs as `interrupted` and begins nothing more. */
  stop(): Promise<void>;
}

export function createInstructions(deps: InstructionsDeps): Instructions {
  const { log, policyPath, clock, onChange } = deps;
  const policyFile = new PolicyFile({
    path: policyPath,
    onProblem: (problem) =>
      problem === null
        ? log.info({ path: policyPath }, 'policy.json is in force')
        : log.error({ path: policyPath, problem }, 'policy.json is broken; the policy before it stays'),
  });
  const watching = new AbortController();
  policyFile.watch(watching.signal);
  const hostPolicy = new HostPolicy({
    ...deps,
    policyFile,
    protectedPaths: [policyPath, ...deps.protectedPaths],
    monotonic: () => clock.monotonic(),
  });
  const pipeline = new Pipeline({ ...deps, hostPolicy, now: () => clock.now() });
  return {
    onFinalMessage: (frame, ageMs) => pipeline.onFinalMessage(frame, ageMs),
    answers: pipelineAnswers(pipeline, onChange),
    recover: () => pipeline.recover(),
    observe: (instructions) => pipeline.observe(instructions),
    policyProblem: () => policyFile.problem(),
    async stop() {
      watching.abort();
      await pipeline.stop();
    },
  };
}
