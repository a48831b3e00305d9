/** Forms of the options page: a field with its error in words, and what became of the last change. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Text, Translate } from '../overlay/texts.ts';
import type { ActionOutcome } from '../people-messages.ts';

export interface Progress {
  isPending: boolean;
  problem: string | null;
  done: string | null;
}
const AT_REST: Progress = { isPending: false, problem: null, done: null };

/** Runs a change and keeps how it fares. */
export function useProgress(t: Translate) {
  const [progress, setProgress] = useState(AT_REST);
  return {
    progress,
    refuse: (problem: Text) => setProgress({ ...AT_REST, problem: t(problem) }),
    run: async (change: () => Promise<ActionOutcome>, doneKey: string): Promise<void> => {
      setProgress({ ...AT_REST, isPending: true });
      const outcome = await change();
      if (outcome.ok) setProgress({ ...AT_REST, done: t(doneKey) });
      else setProgress({ ...AT_REST, problem: outcome.message || t('connection_lost_background') });
    },
  };
}

/** A box that shows what is stored: a press asks for the change, which arrives with the next view. */
export function Switch({
  label,
  isOn,
  progress,
  onPress,
}: {
  label: string;
  isOn: boolean;
  progress: Progress;
  onPress: () => void;
}) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        checked={isOn}
        aria-busy={progress.isPending}
        onClick={(event) => {
          event.preventDefault();
          onPress();
        }}
      />
      {label}
    </label>
  );
}

export function Outcome({ progress, id, waiting }: { progress: Progress; id: string; waiting?: string | undefined }) {
  const { isPending, problem, done } = progress;
  return (
    <div id={id} role="status" aria-live="polite">
      {isPending && waiting !== undefined ? <p class="note">{waiting}</p> : null}
      {problem === null ? null : <p class="problem">{problem}</p>}
      {done === null ? null : <p class="done">{done}</p>}
    </div>
  );
}

interface FieldProps {
  id: string;
  label: string;
  hint: string;
  value: string;
  progress: Progress;
  className?: string;
  onInput: (value: string) => void;
  children: ComponentChildren;
}

/** A text field with its buttons beside it. Its hint and its error are read with it. */
export function Field({ id, label, hint, value, progress, className, onInput, children }: FieldProps) {
  return (
    <>
      <div class="ends">
        <label class="field" for={id}>
          {label}
          <input
            id={id}
            type="text"
            class={className}
            value={value}
            autocomplete="off"
            spellcheck={false}
            aria-invalid={progress.problem !== null}
            aria-describedby={`${id}-hint ${id}-outcome`}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
        </label>
        {children}
      </div>
      <p class="note" id={`${id}-hint`}>
        {hint}
      </p>
    </>
  );
}
