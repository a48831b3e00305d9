/** The window of one approval. The press in the overlay was the first; the one here decides. */
import { useEffect, useRef } from 'preact/hooks';
import { ApprovalCard } from '../overlay/approvals-section.tsx';
import type { PeopleClient } from '../overlay/client.ts';
import { describeConnection } from '../overlay/describe-connection.ts';
import { describeApprovals } from '../overlay/describe-work.ts';
import type { Format } from '../overlay/format.ts';
import { ConnectionLine } from '../overlay/system-section.tsx';
import type { Translate } from '../overlay/texts.ts';
import type { Actions } from '../overlay/use-actions.ts';

export interface ApprovalPageProps {
  client: PeopleClient;
  actions: Actions;
  now: number;
  instructionId: string;
  t: Translate;
  format: Format;
  close: () => void;
}

export function ApprovalPage({ client, actions, now, instructionId, t, format, close }: ApprovalPageProps) {
  const { view } = client;
  const wasShown = useRef(false);
  const approval = view && describeApprovals(view, now, format).find((one) => one.instructionId === instructionId);
  const isDone = wasShown.current && view !== null && view.connection.state === 'connected' && !approval;
  if (approval) wasShown.current = true;
  useEffect(() => {
    if (isDone) close();
  }, [isDone]);
  return (
    <main class="popup">
      <h1>{t('approval_title')}</h1>
      {view === null || view.connection.state === 'connected' ? null : (
        <ConnectionLine
          shown={describeConnection(view, now, format)}
          t={t}
          onOptions={() => void client.openOptions()}
        />
      )}
      {view === null ? <p class="note">{t('connection_connecting')}</p> : null}
      {approval ? (
        <ul class="cards">
          <ApprovalCard
            key={approval.approvalHash}
            approval={approval}
            canAct={view?.connection.state === 'connected'}
            {...{ t, actions }}
            onBack={close}
          />
        </ul>
      ) : null}
      {view !== null && !approval ? (
        <>
          <p class="note">{t('approval_gone')}</p>
          <p class="row">
            <button type="button" class="plain" onClick={close}>
              {t('close_window')}
            </button>
          </p>
        </>
      ) : null}
    </main>
  );
}
