/**
 * Whether a person is signed in to each site, and as whom. The account is known as a salted hash only. The state survives
 * a suspended background page; after a start of the browser it is `stale` until something proves it.
 */
import { z } from 'zod';
import { LoginStateSchema } from '../../../schema/contracts/clients.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import { PlatformSchema } from '../../../schema/contracts/common.ts';
import { Emitter } from '../../lib/emitter.ts';
import { accountFingerprint, randomHex } from '../../lib/hash.ts';
import { Serial } from '../../lib/serial.ts';
import type { StorageArea } from '../../lib/storage.ts';
import { STORAGE_KEYS, Stored } from '../../lib/storage.ts';
import type { PageLogin } from '../../sites/page.ts';
import type { TrafficEvent } from '../traffic.ts';

const LoginSchema = z.object({
  platform: PlatformSchema,
  login: LoginStateSchema,
  fingerprint: z.string().max(128).nullable(),
});
export type Login = z.infer<typeof LoginSchema>;
type State = Login['login'];

export class Logins {
  readonly changed = new Emitter<void>();
  readonly #platforms: readonly Platform[];
  readonly #stored: Stored<Login[]>;
  readonly #salt: Stored<string | null>;
  readonly #steps = new Serial();
  #logins = new Map<Platform, Login>();

  constructor(storage: StorageArea, platforms: readonly Platform[]) {
    this.#platforms = platforms;
    this.#stored = new Stored(storage, STORAGE_KEYS.logins, z.array(LoginSchema).max(16), []);
    this.#salt = new Stored(storage, STORAGE_KEYS.salt, z.string().min(32).max(64).nullable(), null);
  }

  load(): Promise<void> {
    return this.#steps.run(async () => {
      this.#logins = new Map((await this.#stored.read()).map((login) => [login.platform, login]));
    });
  }

  /** The browser has started: what it was signed in to must be proved. */
  onBrowserStart(): Promise<void> {
    return this.#steps.run(async () => {
      for (const login of await this.#stored.read()) {
        if (login.login === 'fresh') await this.#set(login.platform, 'stale', login.fingerprint);
      }
    });
  }

  get(platform: Platform): Login {
    return this.#logins.get(platform) ?? { platform, login: 'stale', fingerprint: null };
  }

  all(): Login[] {
    return this.#platforms.map((platform) => this.get(platform));
  }

  onTraffic(event: TrafficEvent): void {
    const { platform } = event;
    if (event.type === 'status') {
      if (event.isChallenge) this.#mark(platform, 'stale');
      else if (event.status === 401) this.#mark(platform, 'lost');
    } else if (event.type === 'decoded') {
      if (event.event.type === 'account') this.#signedIn(platform, event.event.account);
      else if (event.event.type === 'challenge') this.#mark(platform, 'stale');
      else if (event.event.type === 'signed_out') this.#mark(platform, 'lost');
    }
  }

  onPage(platform: Platform, login: PageLogin | null): void {
    if (login === null) return;
    if (login.login === 'fresh' && login.account !== null) this.#signedIn(platform, login.account);
    else this.#mark(platform, login.login);
  }

  #mark(platform: Platform, state: State): void {
    void this.#steps.run(() => {
      // A page that does not say who is signed in proves nothing about the account that was seen.
      const { fingerprint } = this.get(platform);
      return this.#set(platform, state, state === 'lost' ? null : fingerprint);
    });
  }

  #signedIn(platform: Platform, account: string): void {
    void this.#steps.run(async () => {
      const fingerprint = await accountFingerprint(await this.#readSalt(), platform, account);
      await this.#set(platform, 'fresh', fingerprint);
    });
  }

  async #set(platform: Platform, login: State, fingerprint: string | null): Promise<void> {
    const known = this.#logins.get(platform);
    if (known?.login === login && known.fingerprint === fingerprint) return;
    this.#logins.set(platform, { platform, login, fingerprint });
    this.changed.emit();
    await this.#stored.write([...this.#logins.values()]);
  }

  async #readSalt(): Promise<string> {
    const known = await this.#salt.read();
    if (known !== null) return known;
    const made = randomHex(32);
    await this.#salt.write(made);
    return made;
  }
}
