/**
 * An executor knows one kind of step: what to start for it, what its output means, and how its end is judged. It touches
 * no file and starts nothing, so each is a set of plain functions. One file and one row of the registry for each.
 */
import type { ClaimedRun, RunUsage } from '../../schema/contracts/runs.ts';
import type { StepInput, StepKind } from '../../schema/contracts/step-inputs.ts';
import type { AgentSettings } from '../config/agent-settings.ts';
import type { RunExit } from '../runner/exit-file.ts';

/** How a step ended, as the run reports it. */
export interface Verdict {
  status: 'succeeded' | 'failed' | 'timeout' | 'blocked' | 'canceled' | 'lost';
  summary: string;
  error_code: string | null;
  error_text: string | null;
  /** Another attempt would end alike. */
  final?: boolean;
}

/** What an executor starts. The runner adds the run's mark. */
export interface StepLaunch {
  argv: string[];
  /** A folder below the step's folder; '' is that folder. */
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** Text on its standard input. */
  stdin: string | null;
}

export type Prepared = { type: 'launch'; launch: StepLaunch } | { type: 'verdict'; verdict: Verdict };

export interface AgentVariables {
  env: Record<string, string>;
  /** Those that come from `env_from` and `env_file`: its tools must not see them. */
  secretNames: string[];
}

export type EarlierStep = ClaimedRun['outputs'][number] & {
  /** The folder of the files that its run left; null when it left none, or ran on another host. */
  artifacts: string | null;
};

/** A step on this host, before it starts. */
export interface StepView {
  claim: ClaimedRun;
  /** The folder of the task: a worktree when it has a repository. */
  folder: string;
  /** The repository of `[repos]`; null for a task without one. */
  repoPath: string | null;
  /** The commit from which the task started; null without a repository. */
  baseSha: string | null;
  /** A later attempt continues what an earlier one left: its files, or those of its last checkpoint. */
  continuesWork: boolean;
  /** Why the folder does not have all that earlier runs left; null where it has that, or there was none. */
  startsOver: string | null;
  /** The session of the attempt before, when this host can resume it. */
  resumableSession: string | null;
  /** The steps before it, in their order. */
  earlier: readonly EarlierStep[];
  /** What `git diff` says of the work so far, for a person; empty when nothing has changed. */
  changes: string;
  /** For a `git` step: the Git directory of its worktree, and pathspecs for all files but the submodules. */
  git: { directory: string; files: string[] } | null;
  agents: Readonly<Record<string, AgentSettings>>;
  /** Variables of a coding agent that its configuration names; null with the reason when one is missing. */
  agentVariables: (settings: AgentSettings) => AgentVariables | { problem: string };
  newSessionId: () => string;
}

/** What is known of a coding agent from the events that it has printed so far. */
export interface AgentView {
  sessionId: string | null;
  /** What it does now. */
  progress: string | null;
  usage: RunUsage | null;
}

/** Reads what a step prints while it runs. */
export interface OutputReader {
  line: (line: string) => void;
  view: () => AgentView;
}

/** A step after its end. */
export interface EndedStep {
  exit: RunExit;
  reader: OutputReader | null;
  /** The ends of the outputs, as text. */
  stdoutTail: string;
  stderrTail: string;
  /** The report that a test step names; null when it names none, or there is none. */
  report: string | null;
}

export interface Executor<K extends StepKind> {
  prepare: (input: StepInput<K>, step: StepView) => Prepared;
  /** For a step whose output is a stream of events. */
  reader?: (input: StepInput<K>, agents: StepView['agents']) => OutputReader;
  /** Judges a step that ended by itself. */
  judge: (end: EndedStep, input: StepInput<K>) => Verdict;
  /** The text of the `test_output` checkpoint; null for none. */
  testOutput?: (end: EndedStep) => string | null;
}

export function succeeded(summary: string): Verdict {
  return { status: 'succeeded', summary, error_code: null, error_text: null };
}

export function failed(error_code: string, error_text: string, more: Pick<Verdict, 'final'> = {}): Verdict {
  return { status: 'failed', summary: error_text, error_code, error_text, ...more };
}

/** A failure that another attempt on any host would repeat. */
export function refused(error_code: string, error_text: string): Prepared {
  return { type: 'verdict', verdict: failed(error_code, error_text, { final: true }) };
}

export function launches(launch: Partial<StepLaunch> & Pick<StepLaunch, 'argv'>): Prepared {
  return { type: 'launch', launch: { cwd: '', env: {}, stdin: null, ...launch } };
}
