/** One instruction: what it is, its story, its output, and what a person decides about it. */
import type { ComponentChildren } from 'preact';
import { InstructionDetailSchema, InstructionSchema } from '../../../../schema/contracts/instructions.ts';
import { callName } from '../../../../schema/contracts/tools.ts';
import { visibleJson } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { usePage, useRead, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Output } from '../../parts/bytes.tsx';
import { Detail } from '../../parts/detail.tsx';
import { Card, Facts, Heading, Moment, Status } from '../../parts/parts.tsx';
import { INSTRUCTION_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import type { PanelProps } from '../panel.ts';
import { Decide } from './decide.tsx';
import type { InstructionDetail } from './instruction-detail.ts';
import { InstructionOutput } from './output.tsx';
import { Resolve, resolutionText } from './resolve.tsx';
import { Story } from './story.tsx';

/** Waiting or running: then it can be canceled. */
const OPEN: readonly InstructionDetail['status'][] = ['claimed', 'waiting', 'awaiting_approval', 'running'];

export default function InstructionPanel({ id }: PanelProps) {
  const path = `/v1/instructions/${encodeURIComponent(id)}`;
  const read = useRead(path, InstructionDetailSchema, ['instructions', 'messages']);
  return (
    <Detail
      of={read}
      name={{ kind: 'found_instruction', id, list: { href: '/instructions', name: 'nav_instructions' } }}
    >
      {(instruction) => (
        <>
          <Heading
            above={<a href="/instructions">{t('nav_instructions')}</a>}
            title={callName(instruction.target, instruction.tool)}
          >
            <Status kind="instruction" value={instruction.status} tone={INSTRUCTION_TONES[instruction.status]} />
            <Cancel instruction={instruction} />
          </Heading>
          <Decide instruction={instruction} readAt={read.at ?? 0} />
          <Resolve instruction={instruction} />
          <InstructionOutput instruction={instruction} />
          <div class="columns">
            <Card title={t('call')} id="call">
              <Output text={visibleJson(instruction.params, 2)} label={t('call')} />
              <What instruction={instruction} />
            </Card>
            <Card title={t('story')} id="story">
              <Story events={instruction.events} />
            </Card>
          </div>
        </>
      )}
    </Detail>
  );
}

function Cancel({ instruction: { instruction_id, status } }: { instruction: InstructionDetail }) {
  const { canAct } = useRights();
  if (!canAct || !OPEN.includes(status)) return null;
  const run = () =>
    callEdge(`/v1/instructions/${instruction_id}/cancel`, InstructionSchema, { method: 'POST', body: {} });
  const text = t(status === 'running' ? 'cancel_running_instruction' : 'cancel_waiting_instruction');
  return (
    <Act
      label={t('cancel')}
      kind="danger"
      run={run}
      done={t('cancel_asked')}
      question={{ title: t('cancel_instruction'), text }}
    />
  );
}

function What({ instruction }: { instruction: InstructionDetail }) {
  const { format } = usePage();
  const { policy, gate, error_code, exit_code, duration_ms } = instruction;
  return (
    <Facts
      of={[
        [t('judged'), `${word('decision', policy.decision)}: ${policy.rule}`],
        [t('granted_by'), instruction.grant_id ?? null],
        [t('gate'), gate === null ? null : word('reason', gate)],
        [t('error'), error_code === null ? null : word('reason', error_code)],
        [t('resolution'), resolutionText(instruction)],
        [t('exit_code'), exit_code],
        [t('took'), duration_ms === null ? null : format.exactSpan(duration_ms)],
        [t('came'), <Moment key="c" at={instruction.created_at} />],
        [t('started'), instruction.started_at === null ? null : <Moment at={instruction.started_at} />],
        [t('finished'), instruction.finished_at === null ? null : <Moment at={instruction.finished_at} />],
        [
          t('node'),
          <a key="n" href={`/nodes/${encodeURIComponent(instruction.controller_id)}`}>
            {instruction.controller_id}
          </a>,
        ],
        ...sourceOf(instruction),
        [t('id'), <code key="i">{instruction.instruction_id}</code>],
      ]}
    />
  );
}

/** The message and the conversation that it was found in, or who called it through MCP. */
function sourceOf({
  mcp_subject,
  message_id,
  local_conversation_id,
  block_index,
  index,
}: InstructionDetail): [string, ComponentChildren][] {
  if (mcp_subject !== null) return [[t('called_through_mcp'), mcp_subject]];
  const place = t('message_place', { block: block_index + 1, place: index + 1 });
  return [
    [
      t('message'),
      <a key="m" href={`/messages/${message_id}`}>
        {place}
      </a>,
    ],
    [
      t('conversation'),
      <a key="l" href={`/conversations/${local_conversation_id}`}>
        {local_conversation_id}
      </a>,
    ],
  ];
}
