/**
 * Whether a person is signed in to each site, and as whom: one login for each container of the browser, since each has its
 * own cookies, and on a site with several accounts in one container, one for each of them. The account is known as a
 * salted hash only. The state survives a suspended background page; after a start of the browser it is `stale` until
 * something proves it.
 */
import { z } from 'zod';
import { LoginStateSchema, MAX_LOGINS } from '../../../schema/contracts/clients.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import { PlatformSchema } from '../../../schema/contracts/common.ts';
import { Emitter } from '../../lib/emitter.ts';
import { accountFingerprint, randomHex } from '../../lib/hash.ts';
import { Serial } from '../../lib/serial.ts';
import type { StorageArea } from '../../lib/storage.ts';
import { STORAGE_KEYS, Stored } from '../../lib/storage.ts';
import type { PageLogin } from '../../sites/page.ts';
import type { Site } from '../../sites/site.ts';
import type { TrafficEvent } from '../traffic.ts';

/** Where Firefox opens a tab that is in no container. */
export const DEFAULT_CONTAINER = 'firefox-default';

const LoginSchema = z.object({
  platform: PlatformSchema,
  /** An earlier version kept one login for each site. */
  container: z.string().max(128).default(DEFAULT_CONTAINER),
  login: LoginStateSchema,
  fingerprint: z.string().max(128).nullable(),
  /** The hash of the person; of an earlier version the fingerprint, which knew no workspaces. */
  person: z.string().max(128).nullish(),
  /** The hash of the workspace; empty for the person's own; null while it is not known. */
  workspace: z.string().max(128).nullable().default(null),
});
const stored = (login: z.infer<typeof LoginSchema>) => ({ ...login, person: login.person ?? login.fingerprint });
const LoginsSchema = z
  .array(LoginSchema.transform(stored).nullable().catch(null))
  .max(MAX_LOGINS)
  .transform((logins) => logins.filter((login) => login !== null));
export type Login = z.infer<typeof LoginsSchema>[number];
type State = Login['login'];

/** A site in one container; of several accounts in it, the container's name is followed by the account's path. */
export interface LoginPlace {
  platform: Platform;
  container: string;
}

/** Where the login of a page is. `container`: null while it is not known, or in a browser without containers. */
export function placeOf(site: Pick<Site, 'platform' | 'wire'>, url: string, container: string | null): LoginPlace {
  const parsed = URL.parse(url);
  const path = parsed === null ? '' : (site.wire.accountPathOf?.(parsed) ?? '');
  const cookies = container ?? DEFAULT_CONTAINER;
  return { platform: site.platform, container: path === '' ? cookies : `${cookies}/${path}` };
}

/** The container of the browser that a login is in. */
export function cookieStoreOf({ container }: LoginPlace): string {
  return container.split('/')[0] ?? container;
}

/** What one sign says of the account; absent: nothing. */
interface Sign {
  personId?: string;
  /** Empty: the person's own. */
  workspaceId?: string;
}

const UNKNOWN = { fingerprint: null, person: null, workspace: null };

const keyOf = ({ platform, container }: LoginPlace): string => JSON.stringify([platform, container]);

export class Logins {
  readonly changed = new Emitter<void>();
  readonly #platforms: readonly Platform[];
  readonly #stored: Stored<Login[]>;
  readonly #salt: Stored<string | null>;
  readonly #steps = new Serial();
  /** The one that changed last is the last one. */
  #logins = new Map<string, Login>();

  constructor(storage: StorageArea, platforms: readonly Platform[]) {
    this.#platforms = platforms;
    this.#stored = new Stored(storage, STORAGE_KEYS.logins, LoginsSchema, []);
    this.#salt = new Stored(storage, STORAGE_KEYS.salt, z.string().min(32).max(64).nullable(), null);
  }

  load(): Promise<void> {
    return this.#steps.run(async () => {
      this.#logins = new Map((await this.#stored.read()).map((login) => [keyOf(login), login]));
    });
  }

  /** The browser has started: what it was signed in to must be proved. */
  onBrowserStart(): Promise<void> {
    return this.#steps.run(async () => {
      for (const login of await this.#stored.read()) {
        if (login.login === 'fresh') await this.#set({ ...login, login: 'stale' });
      }
    });
  }

  get(platform: Platform, container: string): Login {
    return this.#at({ platform, container });
  }

  /** Those of one site, in every container that has one. */
  of(platform: Platform): Login[] {
    return [...this.#logins.values()].filter((login) => login.platform === platform);
  }

  /** Every login that is known, and one for each site of which none is. */
  all(): Login[] {
    return this.#platforms.flatMap((platform) => {
      const known = this.of(platform);
      return known.length > 0 ? known : [this.get(platform, DEFAULT_CONTAINER)];
    });
  }

  /** The account that was last seen in a place; null when it is not known. */
  accountAt(place: LoginPlace): string | null {
    return this.#at(place).fingerprint;
  }

  /** The account of a place, to be named where the site has several in this browser; else null. */
  accountToName(place: LoginPlace): string | null {
    return this.of(place.platform).length > 1 ? this.accountAt(place) : null;
  }

  /** The account of a page that was just looked at, as it says; where it does not, the one that is known of its place. */
  async ofPage(place: LoginPlace, login: PageLogin | null, workspaceId?: string): Promise<string | null> {
    const known = this.#at(place);
    if (login?.login === 'fresh' && login.account !== null) {
      const sign = { personId: login.account, workspaceId: workspaceId ?? '' };
      return (await this.#account({ ...known, ...UNKNOWN }, sign)).fingerprint;
    }
    return workspaceId === undefined ? known.fingerprint : (await this.#account(known, { workspaceId })).fingerprint;
  }

  onTraffic(event: TrafficEvent, place: LoginPlace): void {
    if (event.type === 'status') {
      if (event.isChallenge) this.#mark(place, 'stale');
      else if (event.status === 401) this.#mark(place, 'lost');
    } else if (event.type === 'decoded') {
      const { event: decoded } = event;
      if (decoded.type === 'account') {
        this.#signedIn(place, {
          personId: decoded.account,
          ...(decoded.lacksWorkspace !== true && { workspaceId: '' }),
        });
      } else if (decoded.type === 'challenge') this.#mark(place, 'stale');
      else if (decoded.type === 'signed_out') this.#mark(place, 'lost');
    }
  }

  /** `workspaceId`: empty for the person's own; absent on a site without workspaces. */
  onPage(place: LoginPlace, login: PageLogin | null, workspaceId?: string): void {
    if (login?.login === 'fresh' && login.account !== null) {
      this.#signedIn(place, { personId: login.account, workspaceId: workspaceId ?? '' });
    } else {
      if (workspaceId !== undefined) void this.#steps.run(() => this.#workspaceSeen(place, workspaceId));
      if (login !== null) this.#mark(place, login.login);
    }
  }

  #at({ platform, container }: LoginPlace): Login {
    const unknown: Login = { platform, container, login: 'stale', ...UNKNOWN };
    return this.#logins.get(keyOf({ platform, container })) ?? unknown;
  }

  #mark(place: LoginPlace, state: State): void {
    void this.#steps.run(() => {
      // A page that does not say who is signed in proves nothing about the account that was seen.
      const known = this.#at(place);
      const account = state === 'lost' ? UNKNOWN : known;
      return this.#set({ ...known, ...account, login: state });
    });
  }

  #signedIn(place: LoginPlace, sign: Sign): void {
    void this.#steps.run(async () => {
      const known = this.#at(place);
      await this.#set({ ...known, ...(await this.#account(known, sign)), login: 'fresh' });
    });
  }

  async #workspaceSeen(place: LoginPlace, workspaceId: string): Promise<void> {
    const known = this.#at(place);
    await this.#set({ ...known, ...(await this.#account(known, { workspaceId })) });
  }

  /**
   * Who it is after one more sign. While the workspace is not known, the fingerprint stays what it was, but another person
   * is another account in any case.
   */
  async #account(known: Login, { personId, workspaceId }: Sign): Promise<Omit<Login, keyof LoginPlace | 'login'>> {
    const { platform } = known;
    const person = personId === undefined ? known.person : await this.#hash(platform, personId);
    const hashed = workspaceId ? await this.#hash(platform, workspaceId) : workspaceId;
    const workspace = hashed ?? known.workspace;
    if (person === null || (workspace === null && (known.person === null || known.person === person)))
      return { fingerprint: known.fingerprint, person, workspace };
    const fingerprint = workspace ? await this.#hash(platform, `${person}/${workspace}`) : person;
    return { fingerprint, person, workspace };
  }

  async #set(login: Login): Promise<void> {
    const key = keyOf(login);
    const known = this.#logins.get(key);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(login)) return;
    this.#logins.delete(key);
    this.#logins.set(key, login);
    const [oldest] = this.#logins.keys();
    // Every other site is reported with at least one.
    const most = MAX_LOGINS - (this.#platforms.length - 1);
    if (this.#logins.size > most && oldest !== undefined) this.#logins.delete(oldest);
    this.changed.emit();
    await this.#stored.write([...this.#logins.values()]);
  }

  async #hash(platform: Platform, account: string): Promise<string> {
    return accountFingerprint(await this.#readSalt(), platform, account);
  }

  async #readSalt(): Promise<string> {
    const known = await this.#salt.read();
    if (known !== null) return known;
    const made = randomHex(32);
    await this.#salt.write(made);
    return made;
  }
}
