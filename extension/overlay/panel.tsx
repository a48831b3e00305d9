/** The panel: what is shown, from the newest view; and its collapsed form. It draws and decides nothing itself. */
import { useEffect, useRef } from 'preact/hooks';
import type { Platform } from '../../schema/contracts/common.ts';
import type { PeopleView } from '../people-messages.ts';
import type { PageAddress } from '../sites/facts.ts';
import { ActivitySection, DriftSection } from './activity-section.tsx';
import type { Heard } from './announce.ts';
import { announcements } from './announce.ts';
import { ApprovalsSection } from './approvals-section.tsx';
import { AttentionSection } from './attention-section.tsx';
import { ConversationSection } from './conversation-section.tsx';
import { describeConnection, describeSystem } from './describe-connection.ts';
import { describeConversation, isHelped } from './describe-conversation.ts';
import { describeAttention } from './describe-lines.ts';
import { describeApprovals, describeDone } from './describe-work.ts';
import type { Format } from './format.ts';
import { Chip, Dot } from './parts.tsx';
import { ConnectionLine, SystemSection } from './system-section.tsx';
import type { Translate } from './texts.ts';
import type { Actions } from './use-actions.ts';

export interface PanelProps {
  view: PeopleView;
  /** Null: on a page of the extension, which has no conversation. */
  place: { platform: Platform; address: PageAddress } | null;
  now: number;
  t: Translate;
  format: Format;
  actions: Actions;
  onOptions: () => void;
}

/** The sections, for the overlay and the popup. */
export function PanelBody({ view, place, now, t, format, actions, onOptions }: PanelProps) {
  const canAct = view.connection.state === 'connected';
  const approvals = describeApprovals(view, now, format);
  const conversationId = place?.address.conversationId ?? null;
  return (
    <>
      <ConnectionLine shown={describeConnection(view, now, format)} t={t} onOptions={onOptions} />
      <ApprovalsSection
        shown={approvals}
        more={(view.snapshot?.approvals_waiting ?? 0) - (view.snapshot?.approvals.length ?? 0)}
        {...{ canAct, t, actions }}
      />
      <AttentionSection shown={describeAttention(view, place?.address ?? null, now, format)} t={t} />
      <SystemSection shown={describeSystem(view, format)} t={t} actions={actions} />
      {place === null ? null : (
        <ConversationSection
          shown={describeConversation(view, place, now, format)}
          platform={place.platform}
          helped={isHelped(view, place) ? conversationId : null}
          {...{ canAct, t, actions }}
        />
      )}
      <ActivitySection shown={describeDone(view, conversationId, format)} {...{ canAct, t, actions }} />
      <DriftSection drift={view.drift} t={t} format={format} />
    </>
  );
}

/** The mode and the number of approvals in one line; what is wrong with the connection, where the panel does not say it. */
export function Brief({
  view,
  place,
  now,
  t,
  format,
  isOpen,
}: Omit<PanelProps, 'actions' | 'onOptions'> & { isOpen: boolean }) {
  const attention = describeAttention(view, place?.address ?? null, now, format).length;
  const connection = describeConnection(view, 0, format);
  const system = describeSystem(view, format);
  const waiting = view.snapshot?.approvals_waiting ?? 0;
  return (
    <>
      <Dot tone={connection.tone === 'good' ? system.tone : connection.tone} />
      {connection.tone === 'bad' ? null : <Chip tone={system.tone}>{t(system.label)}</Chip>}
      {connection.tone !== 'bad' || isOpen ? null : <Chip tone="bad">{t(connection.title)}</Chip>}
      {attention === 0 || isOpen ? null : <Chip tone="bad">{t('attention')}</Chip>}
      {waiting > 0 ? (
        <Chip tone="wait">
          <span aria-hidden="true">{waiting}</span>
          <span class="hidden">{t('say_approvals', String(waiting))}</span>
        </Chip>
      ) : null}
    </>
  );
}

/** Says changes to a screen reader, and nothing at the start. */
export function Announcer({ view, place, now, t, format }: Omit<PanelProps, 'actions' | 'onOptions'>) {
  const before = useRef<Heard | null>(null);
  const region = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const heard: Heard = {
      connection: describeConnection(view, now, format).title,
      system: describeSystem(view, format),
      conversation: place === null ? NOWHERE : describeConversation(view, place, now, format),
      approvals: view.snapshot?.approvals_waiting ?? 0,
      attention: describeAttention(view, place?.address ?? null, now, format).map(({ text }) => text),
    };
    const said = announcements(before.current, heard).map(({ key, of, count }) =>
      t(key, of === null ? String(count) : t(of)),
    );
    before.current = heard;
    if (said.length > 0 && region.current !== null) region.current.textContent = said.join('. ');
  }, [view]);
  return <div ref={region} class="hidden" role="status" aria-live="polite" />;
}
const NOWHERE = { state: 'none', why: { key: '' }, stopped: null } as const;
