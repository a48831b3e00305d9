import { useEffect, useState } from 'preact/hooks';
import type { ApprovalShown } from './describe-work.ts';
import { Act, Failure, Section } from './parts.tsx';
import type { Translate } from './texts.ts';
import type { Actions } from './use-actions.ts';

/** How long the question is shown before it can be confirmed: a double click decides nothing. */
const CONFIRM_AFTER_MS = 700;

interface Props {
  shown: readonly ApprovalShown[];
  /** Those that wait and are not listed. */
  more: number;
  canAct: boolean;
  t: Translate;
  actions: Actions;
}

export function ApprovalsSection({ shown, more, canAct, t, actions }: Props) {
  if (shown.length === 0 && more <= 0) return null;
  return (
    <Section title={t('approvals')} id="approvals">
      <ul class="cards">
        {shown.map((approval) => (
          // Bound to the hash: when something else is asked, it is a new card with a new question.
          <ApprovalCard key={approval.instructionId + approval.approvalHash} {...{ approval, canAct, t, actions }} />
        ))}
      </ul>
      {more > 0 ? <p class="note">{t('approvals_more', String(more))}</p> : null}
    </Section>
  );
}

interface CardProps extends Pick<Props, 'canAct' | 't' | 'actions'> {
  approval: ApprovalShown;
  /** In the window of this approval, which asks at once; what the way back from the question does. */
  onBack?: () => void;
}

export function ApprovalCard({ approval, canAct, t, actions, onBack }: CardProps) {
  const { instructionId, approvalHash, name, bytes, expires } = approval;
  const of = `approval ${instructionId}`;
  const [isAsking, setAsking] = useState(onBack !== undefined);
  const decision = { instruction_id: instructionId, approval_hash: approvalHash };
  return (
    <li class="card" aria-label={name}>
      <p class="row">
        <strong class="name">{name}</strong>
        <span class="grow" />
        <span class="faint">{t(expires)}</span>
      </p>
      {bytes === null ? (
        <p class="note">{t('approval_too_long', instructionId)}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section class="bytes" tabIndex={0} aria-label={t('approval_bytes')}>
          <pre dir="ltr">{bytes}</pre>
        </section>
      )}
      {isAsking ? (
        <Question {...{ of, decision, canAct, t, actions }} onBack={onBack ?? (() => setAsking(false))} />
      ) : (
        <p class="row">
          {bytes === null ? null : (
            <button
              type="button"
              class="primary"
              aria-disabled={!canAct || actions.stateOf(of).isPending}
              onClick={(event) => {
                if (!canAct || actions.stateOf(of).isPending) return;
                if (actions.review !== null) actions.review(event, of, instructionId);
                else if (actions.isGenuine(event, of)) setAsking(true);
              }}
            >
              {t('approve')}
            </button>
          )}
          <Act
            actions={actions}
            of={of}
            action={{ action: 'instruction.deny', ...decision }}
            label={t('deny')}
            isDisabled={!canAct}
            kind="danger"
            t={t}
          />
        </p>
      )}
      <Failure state={actions.stateOf(of)} t={t} onDismiss={() => actions.dismiss(of)} />
    </li>
  );
}

interface QuestionProps extends Omit<CardProps, 'approval' | 'onBack'> {
  of: string;
  decision: { instruction_id: string; approval_hash: string };
  onBack: () => void;
}

/** The second press, in another place than the first and a moment later. */
function Question({ of, decision, canAct, t, actions, onBack }: QuestionProps) {
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    // A window that comes to the front under a press begins again.
    const begin = () => {
      clearTimeout(timer);
      setReady(false);
      timer = setTimeout(() => setReady(true), CONFIRM_AFTER_MS);
    };
    begin();
    window.addEventListener('focus', begin);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('focus', begin);
    };
  }, []);
  return (
    <fieldset class="question">
      <legend>{t('approve_question')}</legend>
      <p class="row">
        <button type="button" class="plain" onClick={onBack} ref={focusOnce}>
          {t('back')}
        </button>
        <span class="grow" />
        <Act
          actions={actions}
          of={of}
          action={{ action: 'instruction.approve', ...decision }}
          label={t('approve_confirm')}
          isDisabled={!isReady || !canAct}
          kind="primary"
          t={t}
        />
      </p>
    </fieldset>
  );
}

/** The pressed button is gone: the focus goes to the harmless one of the two that take its place. */
function focusOnce(button: HTMLButtonElement | null): void {
  button?.focus();
}
