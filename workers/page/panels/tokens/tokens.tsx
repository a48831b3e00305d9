/** The tokens: who may do what until when; making, replacing and revoking them. A secret is shown once. */
import { useRef, useState } from 'preact/hooks';
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { Token, TokenCreated } from '../../../../schema/contracts/tokens.ts';
import { ROLES, TokenCreatedSchema, TokenSchema } from '../../../../schema/contracts/tokens.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { callEdge } from '../../api/client.ts';
import { useNow, usePage } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Card, Heading, Id, Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { CreateToken } from './create-token.tsx';

const PageSchema = pageOf(TokenSchema);

function State({ token: { revoked_at, expires_at } }: { token: Token }) {
  const now = useNow();
  if (revoked_at !== null) return <Pill tone="bad">{t('revoked')}</Pill>;
  if (expires_at !== null && expires_at <= now) return <Pill tone="calm">{t('expired')}</Pill>;
  return <Pill tone="good">{t('valid')}</Pill>;
}

export default function Tokens() {
  const [created, setCreated] = useState<TokenCreated | null>(null);
  const columns: Column<Token>[] = [
    { name: t('subject'), cell: ({ subject }) => makeVisibleLine(subject) },
    { name: t('role'), kind: 'tight', cell: ({ role }) => word('role', role) },
    { name: t('status'), kind: 'tight', cell: (token) => <State token={token} /> },
    {
      name: t('node'),
      kind: 'tight',
      cell: ({ controller_id: id }) => (id === null ? '' : <a href={`/nodes/${encodeURIComponent(id)}`}>{id}</a>),
    },
    { name: t('last_used'), kind: 'tight', cell: ({ last_used_at }) => <When at={last_used_at} /> },
    {
      name: t('expiry'),
      kind: 'tight',
      cell: ({ expires_at }) => (expires_at === null ? t('never') : <When at={expires_at} />),
    },
    { name: t('id'), kind: 'tight', cell: ({ token_id }) => <Id id={token_id} href={`/tokens#${token_id}`} /> },
    { name: t('actions'), kind: 'tight', cell: (token) => <Actions token={token} onSecret={setCreated} /> },
  ];
  return (
    <>
      <Heading title={t('nav_tokens')} />
      {created === null ? null : <Secret token={created} onClose={() => setCreated(null)} />}
      <CreateToken onCreated={setCreated} />
      <List
        path="/v1/tokens"
        schema={PageSchema}
        isAddressed
        topics={['tokens']}
        columns={columns}
        keyOf={(row) => row.token_id}
        empty={t('no_tokens')}
        filters={[
          { name: 'role', label: t('role'), options: ROLES.map((role) => [role, word('role', role)] as const) },
        ]}
      />
    </>
  );
}

function Actions({
  token: { token_id, subject, revoked_at },
  onSecret,
}: {
  token: Token;
  onSecret: (token: TokenCreated) => void;
}) {
  if (revoked_at !== null) return null;
  const rotate = async () =>
    onSecret(await callEdge(`/v1/tokens/${token_id}/rotate`, TokenCreatedSchema, { method: 'POST', body: {} }));
  return (
    <span class="buttons">
      <Act
        label={t('rotate')}
        run={rotate}
        done={t('rotated')}
        question={{ title: t('rotate_question', { who: subject }), text: t('rotate_means') }}
      />
      <Act
        label={t('revoke')}
        kind="danger"
        run={() => callEdge(`/v1/tokens/${token_id}`, TokenSchema, { method: 'DELETE' })}
        done={t('token_revoked')}
        question={{ title: t('revoke_question', { who: subject }), text: t('revoke_means') }}
      />
    </span>
  );
}

function Secret({ token: { token, subject }, onClose }: { token: TokenCreated; onClose: () => void }) {
  const { notices } = usePage();
  const shown = useRef<HTMLElement>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(token);
      notices.say({ tone: 'good', title: t('copied'), detail: t('copied_then') });
    } catch {
      if (shown.current !== null) getSelection()?.selectAllChildren(shown.current);
      notices.say({ tone: 'bad', title: t('not_copied'), detail: t('not_copied_then') });
    }
  };
  return (
    <Card title={t('secret_of', { who: subject })} id="secret" tone="wait">
      <p class="note">{t('secret_once')}</p>
      <p>
        <code class="secret" ref={shown}>
          {token}
        </code>
      </p>
      <p class="buttons">
        <button type="button" class="plain" onClick={() => void copy()}>
          {t('copy')}
        </button>
        <button type="button" class="primary" onClick={onClose}>
          {t('secret_kept')}
        </button>
      </p>
    </Card>
  );
}
