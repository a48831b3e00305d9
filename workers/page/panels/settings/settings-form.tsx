/** The form of one scope. What is not set here shows what applies from the scope around it. */
import { useEffect, useState } from 'preact/hooks';
import { SettingsResponseSchema } from '../../../../schema/contracts/renewal-settings.ts';
import { callEdge } from '../../api/client.ts';
import { useRights } from '../../page-context.ts';
import { useAct } from '../../parts/act.tsx';
import { Card } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import type { Edits, Field, Problems, Scope, SettingsResponse } from './draft.ts';
import { applyEdits, draftOf, editField, FIELDS, NULLABLE, readDraft, textOf } from './draft.ts';

export function SettingsForm({ scope, settings }: { scope: Scope; settings: SettingsResponse }) {
  const { canAct } = useRights();
  const { isPending, act } = useAct();
  const [edits, setEdits] = useState<Edits>({});
  const [problems, setProblems] = useState<Problems>({});
  const stored = draftOf(settings);
  const { draft, differs: isChanged, overtaken } = applyEdits(stored, edits);
  // What is stored as it was typed is no edit any more: the field follows what others store.
  useEffect(() => {
    if (!isChanged) setEdits({});
  }, [isChanged]);
  const save = (event: Event): void => {
    event.preventDefault();
    const { body, problems: found } = readDraft(scope, draft);
    setProblems(found ?? {});
    if (body === null) return;
    void act(
      () => callEdge('/v1/renewal/settings', SettingsResponseSchema, { method: 'PUT', body }),
      t('settings_saved'),
    );
  };
  return (
    <Card>
      <form class="settings" onSubmit={save}>
        {FIELDS.map((field) => (
          <Row
            key={field}
            field={field}
            own={draft[field] ?? null}
            around={textOf(field, settings.effective)}
            problem={problems[field] ?? null}
            isReadOnly={!canAct}
            storedNow={overtaken.includes(field) ? (stored[field] ?? null) : undefined}
            onChange={(text) => setEdits(editField(edits, stored, field, text))}
          />
        ))}
        {canAct ? (
          <p class="buttons">
            <button type="button" class="plain" disabled={!isChanged} onClick={() => setEdits({})}>
              {t('undo_changes')}
            </button>
            <button type="submit" class="primary" disabled={!isChanged || isPending} aria-busy={isPending}>
              {t('save')}
            </button>
          </p>
        ) : null}
      </form>
    </Card>
  );
}

interface RowProps {
  field: Field;
  /** Null: not set here. */
  own: string | null;
  around: string;
  problem: string | null;
  /** What another has stored while it was edited; null: not set here; undefined: none has. */
  storedNow: string | null | undefined;
  isReadOnly: boolean;
  onChange: (text: string | null) => void;
}

function Row({ field, own, around, problem, storedNow, isReadOnly, onChange }: RowProps) {
  const id = `setting-${field}`;
  return (
    <div class="setting">
      <label for={id}>{word('setting', field)}</label>
      <div>
        <Control
          {...{
            field,
            id,
            value: own ?? around,
            isDisabled: own === null || isReadOnly,
            isInvalid: problem !== null,
            onChange,
          }}
        />
        <p class="note">
          {word('setting_help', field)} {NULLABLE.includes(field) ? t('empty_is_none') : ''}
        </p>
        {storedNow === undefined ? null : (
          <p class="problem" role="alert">
            {t('stored_meanwhile', { value: storedNow ?? t('not_set_here') })}
          </p>
        )}
        {problem === null ? null : (
          <p class="problem" role="alert">
            {word('setting', field)}: {problem}
          </p>
        )}
      </div>
      <span class="own">
        <input
          type="checkbox"
          id={`${id}-own`}
          checked={own !== null}
          disabled={isReadOnly}
          onChange={(event) => onChange(event.currentTarget.checked ? around : null)}
        />
        <label for={`${id}-own`}>{t('set_here')}</label>
      </span>
    </div>
  );
}

interface ControlProps {
  field: Field;
  id: string;
  value: string;
  isDisabled: boolean;
  isInvalid: boolean;
  onChange: (text: string) => void;
}

function Control({ field, id, value, isDisabled, isInvalid, onChange }: ControlProps) {
  const shared = { id, value, disabled: isDisabled, 'aria-invalid': isInvalid };
  if (field === 'template') {
    return <textarea {...shared} rows={6} maxLength={4_000} onInput={(event) => onChange(event.currentTarget.value)} />;
  }
  const onInput = (event: { currentTarget: HTMLInputElement }): void => onChange(event.currentTarget.value);
  if (field === 'end_at') return <input {...shared} type="datetime-local" onInput={onInput} />;
  const isText = field === 'time_zone' || field === 'quiet_hours';
  return <input {...shared} type="text" inputMode={isText ? 'text' : 'numeric'} onInput={onInput} />;
}
