/** What the edge asks of this host about instructions: end one, heed a person's decision, work for another node. */

import { isBrowserTool } from '../../schema/contracts/tools.ts';
import type { CommandHandlers, CommandOf } from '../edge/commands.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { Store } from '../store/store.ts';
import type { ToolOutcome } from '../tools/tool.ts';
import { ended } from '../tools/tool.ts';
import type { BrowserWork } from './browser-work.ts';
import { checkParams } from './normalize.ts';
import type { Pipeline } from './pipeline.ts';
import { resubmit } from './resubmission.ts';
import { toolNameOf } from './tool-name.ts';

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
      const messageId = decided(deps, body);
      report(command_id, { outcome: messageId === null ? 'unknown' : 'noted' });
      if (messageId === null) return { accepted: true };
      const afterCommit = () => {
        pipeline.advance(messageId);
        deps.onChange();
      };
      return { accepted: true, afterCommit };
    },
    'message.resubmit'({ command_id, body }) {
      resubmit(deps, body);
      report(command_id, { outcome: 'judged' });
      return { accepted: true };
    },
    instruction: (command) => forAnotherNode(deps, command),
    'browser.read'({ command_id, body }) {
      const answer = async () => {
        const reading = await deps.browsers.reading(body.platform, body.conversation_id);
        const result = reading
          ? { outcome: 'read', ...reading }
          : { outcome: 'unavailable', reason: 'no browser of this node could read it' };
        store.transaction(() => report(command_id, result));
      };
      return { accepted: true, afterCommit: () => void answer() };
    },
  };
}

/** Stores a person's decision; the message that may go on now, or null when there is no such instruction here. */
function decided(
  { pipeline, now }: InstructionCommandsDeps,
  body: CommandOf<'approval.decided'>['body'],
): string | null {
  const { ledger } = pipeline;
  const { instruction_id, decision, approval_hash, claim_expires_in_ms, released } = body;
  const known = ledger.execution(instruction_id);
  if (!known) return null;
  const until = (expiresInMs: number | null) => (expiresInMs === null ? null : now() + expiresInMs);
  if (decision === 'approved') ledger.approve(instruction_id, approval_hash, until(claim_expires_in_ms));
  else {
    const gate = decision === 'denied' ? 'denied_by_a_person' : 'approval_expired';
    ledger.stand(instruction_id, { status: decision, gate, claimUntil: null });
  }
  for (const other of released) {
    if (other.instruction_id === instruction_id) continue;
    const { status, gate, claim_expires_in_ms: expiresInMs } = other;
    ledger.stand(other.instruction_id, { status, gate, claimUntil: until(expiresInMs) });
  }
  return known.message_id;
}

/** What this node's browser does for an instruction that another node holds, if this host's policy lets it. */
function forAnotherNode(
  { store, nodeId, hostPolicy, browsers }: InstructionCommandsDeps,
  { command_id, body }: CommandOf<'instruction'>,
) {
  const report = (result: Record<string, unknown>) =>
    store.transaction(() => reportCommandResult(store, nodeId, command_id, result));
  const refuse = (outcome: ToolOutcome) => {
    report({ ...outcome, duration_ms: 0 });
    return { accepted: true } as const;
  };
  const name = toolNameOf(body.name);
  if (!name || !isBrowserTool(name)) return refuse(ended('denied', 'unknown_tool', 'no browser tool of that name'));
  const checked = checkParams(name, body.params);
  if (!checked.ok) return refuse(ended('failed', 'invalid_params', checked.message));
  const { params } = checked;
  const { decision, rule } = hostPolicy.judge({ name, params }, body.platform);
  if (decision !== 'allow')
    return refuse(ended('denied', 'denied_by_policy', `that node's policy says ${decision}: ${rule}`));
  const begin = browsers.begin({ name, params, subject: { kind: 'command', id: command_id }, onEnd: report });
  if (begin === null) return refuse(ended('failed', 'no_active_client', 'no browser of that node has the platform'));
  begin();
  return { accepted: true } as const;
}
