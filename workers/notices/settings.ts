/** Where notices are sent: one row, whose address and secret can be read only with the edge's own secret. */
import { eq } from 'drizzle-orm';
import type { NoticeSettings, NoticesPutBody } from '../../schema/contracts/notices.ts';
import { AppError } from '../../schema/errors.ts';
import type { NoticeSettingsRow } from '../../schema/tables/index.ts';
import { notice_settings } from '../../schema/tables/index.ts';
import { bootstrapSecret } from '../crypto/bootstrap-secret.ts';
import { decryptText, encryptText } from '../crypto/encrypted-response.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { addressProblem } from './public-address.ts';

const ROW = 1;
const PURPOSE = 'conductor notice address';

/** What the row keeps encrypted. */
export interface Destination {
  address: string;
  secret: string | null;
}

export async function readSettings(db: Database): Promise<NoticeSettingsRow | null> {
  return (await db.select().from(notice_settings).where(eq(notice_settings.id, ROW)).get()) ?? null;
}

/** The settings without what is secret. */
export function shownSettings({ id: _id, sealed: _sealed, ...shown }: NoticeSettingsRow): NoticeSettings {
  return shown;
}

/** Null when it was stored under another secret of the edge: it has to be set again. */
export async function openDestination(env: Env, { sealed }: NoticeSettingsRow): Promise<Destination | null> {
  const text = await decryptText(sealed, bootstrapSecret(env), PURPOSE);
  return text === null ? null : (JSON.parse(text) as Destination);
}

/** Loopback addresses are for tests on one machine: a binding that wrangler.toml does not have allows them. */
export function allowsLocal(env: Env): boolean {
  return env.BAA_NOTICES_LOCAL === '1';
}

/** The row after a change; null when notices are turned off. Throws `invalid_request`. `ownOrigin`: of the request. */
export async function changedSettings(
  { env, now }: Pick<Edge, 'env' | 'now'>,
  stored: NoticeSettingsRow | null,
  body: NoticesPutBody,
  ownOrigin: string,
): Promise<NoticeSettingsRow | null> {
  if (body.address === null) return null;
  const { address, secret } = destinationAfter(env, stored === null ? null : await openDestination(env, stored), body);
  return {
    id: ROW,
    address_origin: new URL(address).origin,
    sealed: await encryptText(JSON.stringify({ address, secret }), bootstrapSecret(env), PURPOSE),
    has_secret: secret !== null,
    format: body.format ?? stored?.format ?? 'plain',
    language: body.language ?? stored?.language ?? 'en',
    quiet_hours: body.quiet_hours === undefined ? (stored?.quiet_hours ?? null) : body.quiet_hours,
    time_zone: body.time_zone ?? stored?.time_zone ?? 'UTC',
    page_origin: body.page_origin === undefined ? (stored?.page_origin ?? ownOrigin) : pageOrigin(body.page_origin),
    updated_at: now,
  };
}

/** The stored secret is kept for addresses of the same origin only: another host must not get it. */
function destinationAfter(env: Env, stored: Destination | null, body: NoticesPutBody): Destination {
  const address = body.address ?? stored?.address;
  if (address === undefined) throw invalid('address', 'an address such as https://ntfy.sh/my-topic');
  const problem = addressProblem(address, { local: allowsLocal(env) });
  if (problem !== null) throw invalid('address', problem);
  if (body.secret !== undefined) return { address, secret: body.secret };
  const isSame = stored !== null && new URL(stored.address).origin === new URL(address).origin;
  return { address, secret: isSame ? stored.secret : null };
}

function pageOrigin(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) {
    throw invalid('page_origin', 'the address of the status page, such as https://conductor.example.com');
  }
  return url.origin;
}

function invalid(field: string, expected: string): AppError {
  return new AppError('invalid_request', `${field}: expected ${expected}`, {
    details: { in: 'body', field, expected },
  });
}

export function storeSettings(db: Database, row: NoticeSettingsRow | null): Statement {
  if (row === null) return db.delete(notice_settings).where(eq(notice_settings.id, ROW));
  const { id: _id, ...set } = row;
  return db.insert(notice_settings).values(row).onConflictDoUpdate({ target: notice_settings.id, set });
}
