/** What a person has to decide. */
import type { ComponentChildren } from 'preact';
import type { Instruction } from '../../../../schema/contracts/instructions.ts';
import { callName } from '../../../../schema/contracts/tools.ts';
import { WAITING_SHOWN } from '../../../../schema/contracts/waiting.ts';
import type { AlikeGroup } from '../../../../schema/domain/alike.ts';
import { groupAlike } from '../../../../schema/domain/alike.ts';
import { briefParams } from '../../../../schema/domain/brief-params.ts';
import { makeExactLine, makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { useWaiting } from '../../api/waiting.ts';
import { useNow, usePage } from '../../page-context.ts';
import { Card, NothingOf, Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { conversationName } from '../conversation-name.ts';

export function WaitsForYou() {
  const waiting = useWaiting();
  const { approvals = [], interrupted = [], blocked = [], stopped = [], paused = [] } = waiting.data ?? {};
  const count = [approvals, interrupted, blocked, stopped, paused].reduce((sum, { length }) => sum + length, 0);
  return (
    <Card title={t('waits_for_you')} id="waits-for-you" {...(count > 0 && { tone: 'wait' as const })}>
      {count === 0 ? <NothingOf reads={[waiting]}>{t('waits_nothing')}</NothingOf> : null}
      <ul class="lines">
        {groupAlike(approvals).map((group) => (
          <Alike key={group.items[0]?.instruction_id} group={group} />
        ))}
        {interrupted.map(({ instruction_id, target, tool, finished_at }) => (
          <Line
            key={instruction_id}
            what={t('interrupted_instruction')}
            href={`/instructions/${instruction_id}`}
            name={callName(target, tool)}
          >
            {t('resolve_question')} · <When at={finished_at} />
          </Line>
        ))}
        {blocked.map(({ task_id, title, updated_at, error_code }) => (
          <Line key={task_id} what={t('blocked_step')} href={`/tasks/${task_id}`} name={makeVisibleLine(title)}>
            {word('reason', error_code ?? 'needs_human')} · <When at={updated_at} />
          </Line>
        ))}
        {stopped.map(({ client_id, platform, stopped_reason }) => (
          <Line
            key={`${client_id} ${platform}`}
            what={t('stopped_browser')}
            href={`/browsers/${encodeURIComponent(client_id)}`}
            name={client_id}
          >
            {word('platform', platform)}: {word('reason', stopped_reason)}
          </Line>
        ))}
        {paused.map((conversation) => (
          <Line
            key={conversation.local_conversation_id}
            what={t('paused_conversation')}
            href={`/conversations/${conversation.local_conversation_id}`}
            name={conversationName(conversation)}
          >
            {word('reason', conversation.pause_reason ?? 'automation_paused')} · <When at={conversation.paused_at} />
          </Line>
        ))}
      </ul>
      {waiting.data?.is_cut ? <p class="note">{t('waits_more', { n: WAITING_SHOWN })}</p> : null}
    </Card>
  );
}

/** Approvals that are alike stay together. Each has its own line, and is decided where its own bytes are. */
function Alike({ group: { name, program, items } }: { group: AlikeGroup<Instruction> }) {
  const lines = items.map(({ instruction_id, params, approval_expires_at }) => (
    <Line key={instruction_id} what={t('approval')} href={`/instructions/${instruction_id}`} name={name}>
      <code class="faint">{briefParams(params)}</code> <Expires at={approval_expires_at} />
    </Line>
  ));
  if (items.length < 2) return <>{lines}</>;
  const title = t('alike', { n: items.length, name, program: program === null ? '' : makeExactLine(program) });
  return (
    <li class="alike">
      <strong>{title}</strong>
      <ul class="lines" aria-label={title}>
        {lines}
      </ul>
    </li>
  );
}

function Expires({ at }: { at: number | null }) {
  const { format } = usePage();
  const now = useNow();
  return <span>{at === null ? '' : t('expires_in', { span: format.span(at - now) })}</span>;
}

function Line({
  what,
  href,
  name,
  children,
}: {
  what: string;
  href: string;
  name: string;
  children: ComponentChildren;
}) {
  return (
    <li>
      <Pill tone="wait">{what}</Pill>
      <a href={href}>{name}</a>
      <span class="note">{children}</span>
    </li>
  );
}
