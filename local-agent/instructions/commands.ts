/** Handlers of the edge's commands on instructions: cancel, a person's decision, resubmission, work for another node. */
import type { BrowserTool, ToolParams } from '../../schema/contracts/tools.ts';
import { findTool, isBrowserTool } from '../../schema/contracts/tools.ts';
import type { CommandHandlers, CommandOf, CommandOutcome } from '../edge/commands.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { Store } from '../store/store.ts';
import type { ToolOutcome } from '../tools/tool.ts';
import { failure } from '../tools/tool.ts';
import { parseCall } from '../tools/tool-call.ts';
import type { BrowserWork } from './browser-work.ts';
import { claimDeadline } from './execution-store.ts';
import { takeMcpCall } from './mcp-calls.ts';
import type { Pipeline } from './pipeline.ts';
import { resubmit } from './resubmission.ts';

export type InstructionCommands = Pick<
  CommandHandlers,
  'instruction.cancel' | 'approval.decided' | 'message.resubmit' | 'instruction' | 'browser.read'
>;

export interface InstructionCommandsDeps {
  store: Store;
  nodeId: string;
  pipeline: Pipeline;
  hostPolicy: HostPolicy;
  browsers: BrowserWork;
  now: () => number;
  /** An execution has changed. */
  onChange: () => void;
}

export function instructionCommands(deps: InstructionCommandsDeps): InstructionCommands {
  const { store, nodeId, pipeline } = deps;
  const report = (commandId: string, result: Record<string, unknown>) =>
    reportCommandResult(store, nodeId, commandId, result);
  return {
    'instruction.cancel'({ command_id, body }) {
      const outcome = pipeline.cancel(body.instruction_id);
      report(command_id, { outcome });
      return { accepted: true };
    },
    'approval.decided'({ command_id, body }) {
      const messageId = storeDecision(deps, body);
      report(command_id, { outcome: messageId === null ? 'unknown' : 'noted' });
      if (messageId === null) return { accepted: true };
      const afterCommit = () => {
        pipeline.advance(messageId);
        deps.onChange();
      };
      return { accepted: true, afterCommit };
    },
    'message.resubmit'({ command_id, body }) {
      const { executions } = pipeline;
      const askedNow = () => ({ asked_seq: executions.lastEnded(), asked_at: deps.now() });
      resubmit({ ...deps, askedNow }, body);
      report(command_id, { outcome: 'judged' });
      return { accepted: true };
    },
    instruction: ({ command_id, body }) => {
      if (body.requested_by !== 'mcp') return runForEdge(deps, command_id, body);
      const { executions } = pipeline;
      const askedNow = () => ({ asked_seq: executions.lastEnded(), asked_at: deps.now() });
      return takeMcpCall({ ...deps, askedNow }, body);
    },
    'browser.read'({ command_id, body }) {
      const read = async () => {
        const reading = await deps.browsers.read(body.platform, body.conversation_id);
        const result = reading
          ? { outcome: 'read', ...reading }
          : { outcome: 'unavailable', reason: 'no browser of this node could read it' };
        store.transaction(() => report(command_id, result));
      };
      return { accepted: true, afterCommit: () => void read() };
    },
  };
}

/** Stores a person's decision. Returns the message to advance; null when this node does not know the instruction. */
function storeDecision(
  { pipeline, now }: InstructionCommandsDeps,
  body: CommandOf<'approval.decided'>['body'],
): string | null {
  const { executions } = pipeline;
  const { instruction_id, decision, approval_hash, claim_expires_in_ms, released } = body;
  const known = executions.execution(instruction_id);
  if (!known) return null;
  if (decision === 'approved') {
    executions.approve(instruction_id, approval_hash, claimDeadline(now(), claim_expires_in_ms));
  } else {
    const gate = decision === 'denied' ? 'denied_by_a_person' : 'approval_expired';
    executions.setStatus(instruction_id, { status: decision, gate, claim_expires_in_ms: null }, now());
  }
  for (const other of released) {
    if (other.instruction_id !== instruction_id) executions.setStatus(other.instruction_id, other, now());
  }
  return known.message_id;
}

type BrowserCall = Exclude<CommandOf<'instruction'>['body'], { requested_by: 'mcp' }>;

/** Runs a browser tool for an instruction of another node or for a person, if this node's policy allows it. */
function runForEdge(
  { store, nodeId, hostPolicy, browsers }: InstructionCommandsDeps,
  command_id: string,
  body: BrowserCall,
): CommandOutcome {
  const report = (result: Record<string, unknown>) =>
    store.transaction(() => reportCommandResult(store, nodeId, command_id, result));
  const refuse = (outcome: ToolOutcome): CommandOutcome => {
    report({ ...outcome, duration_ms: 0 });
    return { accepted: true };
  };
  const name = findTool(body.name);
  if (name === null || !isBrowserTool(name)) {
    return refuse(failure('denied', 'unknown_tool', 'there is no browser tool of that name'));
  }
  const parsed = parseCall(name, body.params);
  if (!parsed.ok) return refuse(failure('failed', parsed.code, parsed.message));
  const from = { platform: body.platform, conversation_id: body.conversation_id ?? null };
  const { decision, rule } = hostPolicy.judge(parsed.call, from);
  // A person's own call needs no second consent, and neither does one that a person has approved.
  const isAgreed = body.requested_by === 'person' || body.approved === true;
  if (decision !== 'allow' && !(decision === 'ask' && isAgreed)) {
    return refuse(failure('denied', 'denied_by_policy', `that node's policy says ${decision}: ${rule}`));
  }
  const start = browsers.prepare({
    name,
    params: parsed.call.params as ToolParams<BrowserTool>,
    subject: { kind: 'command', id: command_id },
    onEnd: report,
  });
  if (start === null) return refuse(failure('failed', 'no_active_client', 'no browser of that node has the platform'));
  start();
  return { accepted: true };
}
