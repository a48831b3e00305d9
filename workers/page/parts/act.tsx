/**
 * A button that does something at the edge. It shows that it waits until the edge has confirmed, and the page says what was
 * confirmed and who did it. What cannot be undone is asked about first.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { EdgeError } from '../api/client.ts';
import { usePage } from '../page-context.ts';
import { t } from '../texts/texts.ts';
import { adviceOf } from './errors.ts';
import { describeError } from './notices.ts';

export interface Question {
  title: string;
  text: string;
}

export interface ActProps {
  /** The name of the button; the button that confirms has the same. */
  label: string;
  run: () => Promise<unknown>;
  /** What is said once the edge has confirmed it. */
  done: string;
  kind?: 'primary' | 'plain' | 'danger';
  question?: Question;
  isDisabled?: boolean;
  /** What it does, beside the button. */
  hint?: string;
  after?: () => void;
}

/** By then the page shows what the action has changed. */
const FOCUS_MS = 300;

/** The pressed button may be gone or replaced: the keyboard then continues where the result is. */
function keepFocus(): void {
  if (document.activeElement === document.body)
    document.querySelector<HTMLElement>('#main')?.focus({ preventScroll: true });
}

/** Runs an action and says what became of it; `isPending` until then. */
export function useAct(): { isPending: boolean; act: (run: () => Promise<unknown>, done: string) => Promise<boolean> } {
  const { notices, session, store } = usePage();
  const [isPending, setPending] = useState(false);
  const isMounted = useRef(true);
  useEffect(
    () => () => {
      isMounted.current = false;
    },
    [],
  );
  const act = async (run: () => Promise<unknown>, done: string): Promise<boolean> => {
    setPending(true);
    try {
      await run();
      notices.say({ tone: 'good', title: done, detail: t('done_by', { who: session.subject }) });
      return true;
    } catch (caught) {
      const error = caught instanceof EdgeError ? caught : new EdgeError('internal', String(caught));
      notices.say({ tone: 'bad', title: t('not_done', { why: describeError(error) }), detail: adviceOf(error) });
      return false;
    } finally {
      // An event will say so as well; this shows it at once, also without a live connection.
      store.changed(null);
      if (isMounted.current) setPending(false);
      setTimeout(keepFocus, FOCUS_MS);
    }
  };
  return { isPending, act };
}

export function Act({ label, run, done, kind = 'plain', question, isDisabled = false, hint, after }: ActProps) {
  const { isPending, act } = useAct();
  const [isAsking, setAsking] = useState(false);
  const start = () => void act(run, done).then((isDone) => isDone && after?.());
  return (
    <>
      <button
        type="button"
        class={kind}
        disabled={isDisabled || isPending}
        aria-busy={isPending}
        onClick={() => (question === undefined ? start() : setAsking(true))}
      >
        {isPending ? <span class="spinner" aria-hidden="true" /> : null}
        {label}
      </button>
      {hint === undefined ? null : <span class="note">{hint}</span>}
      {isAsking && question !== undefined ? (
        <Confirm question={question} label={label} onClose={() => setAsking(false)} onConfirm={start} />
      ) : null}
    </>
  );
}

interface ConfirmProps {
  question: Question;
  label: string;
  onClose: () => void;
  onConfirm: () => void;
  children?: ComponentChildren;
}

function Confirm({ question, label, onClose, onConfirm, children }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="question" onClose={onClose}>
      <h2 id="question">{question.title}</h2>
      <p>{question.text}</p>
      {children}
      <p class="buttons">
        <button type="button" class="plain" onClick={() => dialog.current?.close()}>
          {t('keep')}
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            dialog.current?.close();
            onConfirm();
          }}
        >
          {label}
        </button>
      </p>
    </dialog>
  );
}
