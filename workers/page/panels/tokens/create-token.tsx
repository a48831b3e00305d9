/** The form that makes a token. */
import { useState } from 'preact/hooks';
import type { Role, TokenCreated } from '../../../../schema/contracts/tokens.ts';
import { ROLES, TokenCreateBodySchema, TokenCreatedSchema } from '../../../../schema/contracts/tokens.ts';
import { callEdge } from '../../api/client.ts';
import { useAct } from '../../parts/act.tsx';
import { Card } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';

const DAY_MS = 86_400_000;
const LIFETIMES = [1, 30, 365] as const;
const BOUND: readonly Role[] = ['controller', 'worker'];

export function CreateToken({ onCreated }: { onCreated: (token: TokenCreated) => void }) {
  const { isPending, act } = useAct();
  const [role, setRole] = useState<Role>('readonly');
  const [subject, setSubject] = useState('');
  const [node, setNode] = useState('');
  const [days, setDays] = useState('');
  const body = {
    role,
    subject,
    ...(BOUND.includes(role) && { controller_id: node.trim() }),
    ...(days !== '' && { expires_in_ms: Number(days) * DAY_MS }),
  };
  const isValid = TokenCreateBodySchema.safeParse(body).success;
  const create = async (event: Event): Promise<void> => {
    event.preventDefault();
    const run = async () => onCreated(await callEdge('/v1/tokens', TokenCreatedSchema, { method: 'POST', body }));
    if (await act(run, t('token_created'))) setSubject('');
  };
  return (
    <Card title={t('create_token')} id="create-token">
      <form class="form" onSubmit={(event) => void create(event)}>
        <p class="field">
          <label for="token-subject">{t('subject')}</label>
          <input
            id="token-subject"
            value={subject}
            placeholder="my-laptop"
            maxLength={120}
            onInput={(event) => setSubject(event.currentTarget.value)}
          />
        </p>
        <p class="field">
          <label for="token-role">{t('role')}</label>
          <select id="token-role" value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
            {ROLES.map((one) => (
              <option key={one} value={one}>
                {word('role', one)} ({one})
              </option>
            ))}
          </select>
        </p>
        {BOUND.includes(role) ? (
          <p class="field">
            <label for="token-node">{t('node')}</label>
            <input
              id="token-node"
              value={node}
              maxLength={64}
              onInput={(event) => setNode(event.currentTarget.value)}
            />
          </p>
        ) : null}
        <p class="field">
          <label for="token-days">{t('expiry')}</label>
          <select id="token-days" value={days} onChange={(event) => setDays(event.currentTarget.value)}>
            <option value="">{t('never')}</option>
            {LIFETIMES.map((n) => (
              <option key={n} value={n}>
                {t('in_days', { n })}
              </option>
            ))}
          </select>
        </p>
        <button type="submit" class="primary" disabled={!isValid || isPending} aria-busy={isPending}>
          {t('create')}
        </button>
      </form>
    </Card>
  );
}
