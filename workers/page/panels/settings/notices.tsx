/** Where notices to people are sent, a test, and the newest of them. For operators. */
import { useState } from 'preact/hooks';
import type { Notices, NoticesPutBody } from '../../../../schema/contracts/notices.ts';
import { NoticesSchema, NoticeTestSchema } from '../../../../schema/contracts/notices.ts';
import { NOTICE_CAUSE } from '../../../../schema/domain/person-notice.ts';
import { callEdge, EdgeError } from '../../api/client.ts';
import { useRead } from '../../page-context.ts';
import { Act, useAct } from '../../parts/act.tsx';
import { Card, Id, Nothing, Pill, Shown, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import type { NoticeDraft } from './notice-draft.ts';
import { changesOf, draftOfNotices } from './notice-draft.ts';

const PATH = '/v1/notices';

export function NoticeSettings() {
  const read = useRead(PATH, NoticesSchema, ['system']);
  return (
    <Card title={t('notices')} id="notices">
      <p class="note">{t('notices_about')}</p>
      <Shown of={read}>{(notices) => <Inside notices={notices} />}</Shown>
    </Card>
  );
}

const put = (body: NoticesPutBody) => callEdge(PATH, NoticesSchema, { method: 'PUT', body });

/** A test that the receiver did not accept is an action that was not done. */
async function sendTest(): Promise<void> {
  const { state, error } = await callEdge(`${PATH}/test`, NoticeTestSchema, { method: 'POST', body: {} });
  if (state === 'failed')
    throw new EdgeError('conflict', t('notice_test_failed', { why: error === null ? state : whyOf(error) }));
}

function Inside({ notices }: { notices: Notices }) {
  const { settings } = notices;
  const { isPending, act } = useAct();
  const before = draftOfNotices(settings);
  // Only what was typed: the other fields follow what is stored.
  const [edits, setEdits] = useState<Partial<NoticeDraft>>({});
  const [begun, setBegun] = useState(settings?.updated_at);
  const draft = { ...before, ...edits };
  const body = changesOf(before, draft);
  const isOvertaken = body !== null && begun !== settings?.updated_at;
  const set = (change: Partial<NoticeDraft>): void => {
    if (Object.keys(edits).length === 0) setBegun(settings?.updated_at);
    setEdits({ ...edits, ...change });
  };
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (body !== null && (await act(() => put(body), t('settings_saved')))) setEdits({});
  };
  return (
    <>
      <form class="form" onSubmit={(event) => void save(event)}>
        {isOvertaken ? (
          <p class="problem whole" role="alert">
            {t('settings_meanwhile')}
          </p>
        ) : null}
        <Text name="address" draft={draft} set={set} placeholder={settings?.address_origin ?? 'https://'} />
        <Choice name="format" values={['plain', 'ntfy', 'slack']} draft={draft} set={set} />
        <Choice name="language" values={['en', 'zh']} draft={draft} set={set} />
        <Text name="secret" draft={draft} set={set} placeholder={settings?.has_secret === true ? '••••••••' : ''} />
        <Text name="quiet_hours" draft={draft} set={set} placeholder="22:00-07:00" />
        <Text name="time_zone" draft={draft} set={set} placeholder="Europe/Berlin" />
        <p class="buttons whole">
          {settings === null ? null : <OfStored />}
          <button type="submit" class="primary" disabled={body === null || isPending} aria-busy={isPending}>
            {t('save')}
          </button>
        </p>
      </form>
      <Sent notices={notices} />
    </>
  );
}

/** What can be done with the address that is stored. */
function OfStored() {
  return (
    <>
      <Act
        label={t('notices_off')}
        kind="danger"
        run={() => put({ address: null })}
        done={t('notices_are_off')}
        question={{ title: t('notices_off_question'), text: t('notices_off_means') }}
      />
      <Act label={t('notice_test')} run={sendTest} done={t('notice_test_accepted')} />
    </>
  );
}

interface FieldProps {
  name: keyof NoticeDraft;
  draft: NoticeDraft;
  set: (change: Partial<NoticeDraft>) => void;
}

function Text({ name, draft, set, placeholder }: FieldProps & { placeholder: string }) {
  const shared = {
    id: `notice-${name}`,
    autoComplete: 'off',
    value: draft[name],
    placeholder,
    onInput: (event: { currentTarget: HTMLInputElement }) => set({ [name]: event.currentTarget.value }),
  };
  return (
    <p class={name === 'address' ? 'field wide' : 'field'}>
      <label for={shared.id}>{word('notice_field', name)}</label>
      {name === 'secret' ? <input {...shared} type="password" /> : <input {...shared} type="text" />}
    </p>
  );
}

function Choice({ name, draft, set, values }: FieldProps & { values: readonly string[] }) {
  return (
    <p class="field">
      <label for={`notice-${name}`}>{word('notice_field', name)}</label>
      <select
        id={`notice-${name}`}
        value={draft[name]}
        onChange={(event) => set({ [name]: event.currentTarget.value })}
      >
        {values.map((value) => (
          <option key={value} value={value}>
            {word('notice_value', value)}
          </option>
        ))}
      </select>
    </p>
  );
}

/** Why a try failed, in words; a status of HTTP as it is. */
function whyOf(error: string): string {
  const [, status] = /^http_(\d+)$/.exec(error) ?? [];
  return status === undefined ? word('notice_error', error) : t('notice_error_http', { status });
}

const TONES = { sent: 'wait', accepted: 'good', failed: 'bad' } as const;

function Sent({ notices: { sent, waiting } }: { notices: Notices }) {
  return (
    <>
      <h3>{t('notices_sent')}</h3>
      {waiting === 0 ? null : <p class="note">{t('notices_waiting', { n: waiting })}</p>}
      {sent.length === 0 ? <Nothing>{t('notices_none')}</Nothing> : null}
      <ul class="lines">
        {sent.map(({ notice_id, cause, object_id, state, last_error, created_at }) => (
          <li key={notice_id}>
            <Pill tone={TONES[state]}>{word('notice_state', state)}</Pill>
            <a href={NOTICE_CAUSE[cause].path(object_id)}>{word('notice', cause)}</a>
            {cause === 'no_leader' ? null : <Id id={object_id} />}
            <span class="note">
              {last_error === null ? null : `${whyOf(last_error)} · `}
              <When at={created_at} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
