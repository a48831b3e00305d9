/** All of the instructions on this host, put together: policy, tools, pipeline, and the handlers of its answers. */
import type { Logger } from 'pino';
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import { CommandIdSchema } from '../../schema/contracts/commands.ts';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import type { PromptEnd } from '../delivery/prompts.ts';
import type { ReplyQueue } from '../delivery/replies.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { ResponseHandler } from '../edge/response-handlers.ts';
import { UndoStore } from '../host/undo.ts';
import type { Clock } from '../lib/clock.ts';
import { HostPolicy } from '../policy/host-policy.ts';
import { PolicyFile } from '../policy/policy-file.ts';
import type { Store } from '../store/store.ts';
import type { HostBrowsers } from './browser-work.ts';
import { BrowserWork, promptOutcome } from './browser-work.ts';
import type { InstructionCommands } from './commands.ts';
import { instructionCommands } from './commands.ts';
import { Pipeline } from './pipeline.ts';
import { pipelineResponses } from './response-handlers.ts';

export interface InstructionsDeps {
  store: Store;
  nodeId: string;
  replies: ReplyQueue;
  /** The browsers of this host. */
  browsers: HostBrowsers;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** `policy.json`. */
  policyPath: string;
  /** Where tools may work when the policy names no roots. */
  workspace: string;
  /** Where what tools replace is kept; lies in the state folder. */
  undoFolder: string;
  /** What belongs to the system itself (own-paths.ts). */
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
  /** Handlers of the edge's commands about instructions. */
  readonly commands: InstructionCommands;
  /** Handlers of the edge's answers to the outbox rows that are written here, by kind. */
  readonly answers: Readonly<Record<string, ResponseHandler>>;
  /** At start-up, after the stored answers are worked off and before new messages are taken. */
  recover(): void;
  /** Instructions as the edge has them now (`changed {instructions}` or `{approvals}`, re-read). */
  observe(instructions: readonly Pick<Instruction, 'instruction_id' | 'status' | 'gate'>[]): void;
  /** A prompt has ended, inside the transaction that stores its end. */
  promptEnded(end: PromptEnd): void;
  /** Instructions whose end is awaited from the edge: to be re-read after it was out of reach. */
  awaited(): string[];
  /** What is wrong with `policy.json`; null when nothing is. */
  policyProblem(): string | null;
  /** Ends what runs as `interrupted` and begins nothing more. */
  stop(): Promise<void>;
}

function isCommandId(id: string): boolean {
  return CommandIdSchema.safeParse(id).success;
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
    monotonic: () => clock.monotonic(),
    undo: new UndoStore(deps.undoFolder),
  });
  const browsers = new BrowserWork({
    browsers: deps.browsers,
    redactor: () => hostPolicy.redactor(),
    monotonic: () => clock.monotonic(),
  });
  const pipeline = new Pipeline({ ...deps, hostPolicy, browsers });
  return {
    onFinalMessage: (frame, ageMs) => pipeline.onFinalMessage(frame, ageMs),
    answers: pipelineResponses(pipeline, onChange),
    commands: instructionCommands({ ...deps, pipeline, hostPolicy, browsers, now: () => clock.now() }),
    promptEnded({ subject_id, result }) {
      const outcome = promptOutcome(result);
      if (isCommandId(subject_id)) {
        reportCommandResult(deps.store, deps.nodeId, subject_id, { ...outcome, duration_ms: 0 });
      } else pipeline.promptEnded(subject_id, outcome);
    },
    awaited: () => pipeline.ledger.awaitedElsewhere(),
    recover: () => pipeline.recover(),
    observe: (instructions) => pipeline.observe(instructions),
    policyProblem: () => policyFile.problem(),
    async stop() {
      watching.abort();
      await pipeline.stop();
    },
  };
}
