/** Small parts that the panel and the options page share. */
import type { ComponentChildren } from 'preact';
import type { PersonAction, StopHelp } from '../people-messages.ts';
import type { Tone } from './describe-connection.ts';
import type { Text, Translate } from './texts.ts';
import type { ActionState, Actions } from './use-actions.ts';

/** The mark before a line. Its meaning is in the words beside it as well. */
export function Dot({ tone }: { tone: Tone }) {
  return <span class={`dot ${tone}`} aria-hidden="true" />;
}

export function Chip({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`chip ${tone}`}>{children}</span>;
}

/** A section with a heading. */
export function Section({ title, id, children }: { title: string; id: string; children: ComponentChildren }) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

/** Why an action was not done; it stays until it is dismissed or another one begins. */
export function Failure({ state, t, onDismiss }: { state: ActionState; t: Translate; onDismiss: () => void }) {
  if (state.error === null) return null;
  return (
    <p class="failure" role="alert">
      <span>{t('error_title', state.error)}</span>
      <button type="button" class="quiet" onClick={onDismiss}>
        {t('dismiss')}
      </button>
    </p>
  );
}

export interface ActProps {
  actions: Actions;
  /** What the control is about: its pending state and its error. */
  of: string;
  action: PersonAction | StopHelp;
  label: string;
  t: Translate;
  kind?: 'primary' | 'plain' | 'danger';
  isDisabled?: boolean;
}

/** A button that sends an action, shows that it waits, and never what it hopes for. */
export function Act({ actions, of, action, label, t, kind = 'plain', isDisabled = false }: ActProps) {
  const { isPending } = actions.stateOf(of);
  return (
    <button
      type="button"
      class={kind}
      aria-busy={isPending}
      aria-disabled={isPending || isDisabled}
      title={isPending ? t('working') : undefined}
      onClick={(event) => {
        if (!isDisabled) actions.press(event, of, action);
      }}
    >
      {isPending ? <span class="spinner" aria-hidden="true" /> : null}
      {label}
    </button>
  );
}

/** The texts that are there, as one sentence each. */
export function sentences(t: Translate, ...texts: (Text | null)[]): string {
  return texts.flatMap((text) => (text === null ? [] : [t(text)])).join(' · ');
}
