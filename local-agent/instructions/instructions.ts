/** The instructions of this node: policy, tools, pipeline, and the handlers of commands and responses about them. */
import type { Logger } from 'pino';
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import type { ConversationReader } from '../browsers/conversation-reader.ts';
import type { BrowserTargets } from '../browsers/targets.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { ResponseHandler } from '../edge/response-handlers.ts';
import { hasFreeDescriptors } from '../host/descriptors.ts';
import { UndoStore } from '../host/undo.ts';
import type { Clock } from '../lib/clock.ts';
import { HostPolicy } from '../policy/host-policy.ts';
import { PolicyFile } from '../policy/policy-file.ts';
import type { Store } from '../store/store.ts';
import { BrowserWork, promptOutcome } from './browser-work.ts';
import type { InstructionCommands } from './commands.ts';
import { instructionCommands } from './commands.ts';
import type { StartGate } from './next-step.ts';
import type { OutgoingQueue, PromptEnd } from './outgoing.ts';
import type { StoreMessage } from './pipeline.ts';
import { Pipeline } from './pipeline.ts';
import type { ResponseEffects } from './response-handlers.ts';
import { pipelineResponses } from './response-handlers.ts';

export interface InstructionsDeps {
  store: Store;
  nodeId: string;
  outgoing: OutgoingQueue;
  targets: Pick<BrowserTargets, 'choose'>;
  reader: Pick<ConversationReader, 'read'>;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** `policy.json`. */
  policyPath: string;
  /** Where tools may work when the policy names no roots. */
  workspace: string;
  /** Copies of what tools replace; lies in the state folder. */
  undoFolder: string;
  /** Files of the system itself (own-paths.ts). */
  protectedPaths: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Where programs are looked up, as a person has set it. */
  programPath?: string | null;
  timeouts: { timeoutMs: number; execTimeoutMs: number };
  /** Of all outputs of a reply together. */
  replyChars: number;
  newTemporaryName: () => string;
  /** What this node knows about the edge now, as next-step.ts needs it. */
  startGate: () => StartGate;
  onMode: ResponseEffects['onMode'];
  /** Whether a tool could open files now; by default it is tried. */
  hasFreeDescriptors?: () => boolean;
  /** A message or an execution has changed in SQLite. */
  onChange: () => void;
}

export class Instructions {
  readonly commands: InstructionCommands;
  /** Handlers of the edge's responses to this folder's outbox rows, by kind. */
  readonly responseHandlers: Readonly<Record<string, ResponseHandler>>;
  readonly #deps: InstructionsDeps;
  readonly #policyFile: PolicyFile;
  readonly #hostPolicy: HostPolicy;
  readonly #watching = new AbortController();
  readonly #pipeline: Pipeline;

  constructor(deps: InstructionsDeps) {
    this.#deps = deps;
    const { log, policyPath, clock } = deps;
    this.#policyFile = new PolicyFile({
      path: policyPath,
      onProblem: (problem) =>
        problem === null
          ? log.info({ path: policyPath }, 'policy.json is in force')
          : log.error({ path: policyPath, problem }, 'policy.json is broken'),
    });
    this.#policyFile.watch(this.#watching.signal);
    const monotonic = () => clock.monotonic();
    const undo = new UndoStore(deps.undoFolder);
    const hostPolicy = new HostPolicy({ ...deps, policyFile: this.#policyFile, monotonic, undo });
    this.#hostPolicy = hostPolicy;
    const browsers = new BrowserWork({ ...deps, redactor: () => hostPolicy.redactor(), monotonic });
    const pipeline = new Pipeline({
      ...deps,
      hostPolicy,
      browsers,
      hasFreeDescriptors: deps.hasFreeDescriptors ?? hasFreeDescriptors,
    });
    this.#pipeline = pipeline;
    this.responseHandlers = pipelineResponses(pipeline, deps);
    this.commands = instructionCommands({ ...deps, pipeline, hostPolicy, browsers, now: () => clock.now() });
  }

  /** Does what takes time about a final message; the result stores it, inside the transaction after which it is acknowledged. */
  prepare(frame: FinalMessage): StoreMessage | Promise<StoreMessage> {
    return this.#pipeline.prepare(frame);
  }

  /** Prepares and stores a final message at once. */
  onFinalMessage(frame: FinalMessage, ageMs: number): void {
    this.#pipeline.onFinalMessage(frame, ageMs);
  }

  /** At start-up, after the stored responses are handled and before new messages are taken. */
  recover(): void {
    this.#pipeline.recover();
  }

  /** The mode has changed: what waits for it is decided again. */
  modeChanged(): void {
    this.#pipeline.advanceAll();
  }

  /** Instructions as the edge has them now. */
  observe(instructions: readonly Pick<Instruction, 'instruction_id' | 'status' | 'gate'>[]): void {
    this.#pipeline.observe(instructions);
  }

  /** A prompt has ended. Inside the transaction that stores its end. */
  promptEnded({ subject_kind, subject_id, result }: PromptEnd): void {
    const { store, nodeId } = this.#deps;
    const outcome = promptOutcome(result);
    if (subject_kind === 'instruction') this.#pipeline.promptEnded(subject_id, outcome);
    else reportCommandResult(store, nodeId, subject_id, { ...outcome, duration_ms: 0 });
  }

  /** Instructions whose end comes from the edge, and has to be read again after the edge was out of reach. */
  awaited(): string[] {
    return this.#pipeline.executions.awaitedRemote();
  }

  /** What is wrong with `policy.json`; null when nothing is. */
  policyProblem(): string | null {
    return this.#policyFile.problem();
  }

  /** Where programs are looked up now. */
  programPath(): ReturnType<HostPolicy['programPath']> {
    return this.#hostPolicy.programPath();
  }

  /** What the policy in force says of a task's step, and the environment of its program. */
  get stepRules(): Pick<HostPolicy, 'judgeStep' | 'surroundings' | 'redactor'> {
    return this.#hostPolicy;
  }

  /** Ends what runs as `interrupted` and begins nothing more. */
  async stop(): Promise<void> {
    this.#watching.abort();
    await this.#pipeline.stop();
  }
}
