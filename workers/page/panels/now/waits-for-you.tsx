/** What a person has to decide: approvals, blocked steps, stopped browsers. */
import type { ComponentChildren } from 'preact';
import type { Client } from '../../../../schema/contracts/clients.ts';
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { Instruction } from '../../../../schema/contracts/instructions.ts';
import { TaskSummarySchema } from '../../../../schema/contracts/tasks.ts';
import type { AlikeGroup } from '../../../../schema/domain/alike.ts';
import { groupAlike } from '../../../../schema/domain/alike.ts';
import { makeExactLine, makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { useWaiting } from '../../api/waiting.ts';
import { useRead } from '../../page-context.ts';
import { Card, NothingOf, Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { briefParams } from '../brief-params.ts';

const TasksSchema = pageOf(TaskSummarySchema);

export function WaitsForYou({ clients }: { clients: readonly Client[] }) {
  const waiting = useWaiting();
  const tasks = useRead('/v1/tasks?status=blocked&limit=20', TasksSchema, ['tasks']);
  const [approvals, blocked] = [waiting.data?.items ?? [], tasks.data?.items ?? []];
  const stopped = clients.flatMap(({ client_id, platforms }) =>
    platforms.flatMap(({ platform, stopped_reason }) =>
      stopped_reason === null ? [] : [{ client_id, platform, stopped_reason }],
    ),
  );
  const count = approvals.length + blocked.length + stopped.length;
  return (
    <Card title={t('waits_for_you')} id="waits-for-you" {...(count > 0 && { tone: 'wait' as const })}>
      {count === 0 ? <NothingOf reads={[waiting, tasks]}>{t('waits_nothing')}</NothingOf> : null}
      <ul class="lines">
        {groupAlike(approvals).map((group) => (
          <Alike key={group.items[0]?.instruction_id} group={group} />
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
      </ul>
    </Card>
  );
}

/** Approvals that are alike stay together. Each has its own line, and is decided where its own bytes are. */
function Alike({ group: { name, program, items } }: { group: AlikeGroup<Instruction> }) {
  const lines = items.map(({ instruction_id, params, approval_expires_at }) => (
    <Line key={instruction_id} what={t('approval')} href={`/instructions/${instruction_id}`} name={name}>
      <code class="faint">{briefParams(params)}</code> {t('expires')} <When at={approval_expires_at} />
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
