/**
 * Which agent this browser belongs to. It comes from `provision.json` in the installed archive, which `conductor firefox`
 * writes, or from a code that a person types.
 */
import { z } from 'zod';
import { ClientIdSchema } from '../../../schema/contracts/common.ts';
import { randomHex, sha256Hex } from '../../lib/hash.ts';
import type { StorageArea } from '../../lib/storage.ts';
import { STORAGE_KEYS, Stored } from '../../lib/storage.ts';

export const PairingSchema = z.object({
  agent_url: z.string().max(256),
  client_id: ClientIdSchema,
  token: z.string().min(1).max(256),
});
export type Pairing = z.infer<typeof PairingSchema>;

/** Besides the pairing. `headless`: no person looks at this Firefox. */
const SceneSchema = z.object({ headless: z.boolean().default(false) });

export interface PairingStoreDeps {
  storage: StorageArea;
  /** The text of `provision.json` in the archive; null when there is none. */
  readProvision: () => Promise<string | null>;
}

function parse<T>(text: string, schema: z.ZodType<T>): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

export class PairingStore {
  readonly #deps: PairingStoreDeps;
  readonly #pairing: Stored<Pairing | null>;
  readonly #provision: Stored<string | null>;
  readonly #clientId: Stored<string | null>;

  constructor(deps: PairingStoreDeps) {
    this.#deps = deps;
    const { storage } = deps;
    this.#pairing = new Stored(storage, STORAGE_KEYS.pairing, PairingSchema.nullable(), null);
    this.#provision = new Stored(storage, STORAGE_KEYS.provision, z.string().max(64).nullable(), null);
    this.#clientId = new Stored(storage, STORAGE_KEYS.clientId, ClientIdSchema.nullable(), null);
  }

  /** The pairing; one in the archive counts once, and again when it has changed. */
  async read(): Promise<Pairing | null> {
    const text = await this.#deps.readProvision();
    const provided = text === null ? null : parse(text, PairingSchema);
    if (text !== null && provided !== null) {
      const hash = await sha256Hex(text);
      if (hash !== (await this.#provision.read())) {
        await this.#pairing.write(provided);
        await this.#provision.write(hash);
      }
    }
    return this.#pairing.read();
  }

  /** Whether `conductor firefox` has started this Firefox without a window. */
  async isHeadless(): Promise<boolean> {
    const text = await this.#deps.readProvision();
    return text !== null && parse(text, SceneSchema)?.headless === true;
  }

  write(pairing: Pairing): Promise<void> {
    return this.#pairing.write(pairing);
  }

  /** From now on this browser belongs to no agent. Its id stays. */
  async forget(): Promise<void> {
    await this.#clientId.write(await this.clientId());
    await this.#pairing.write(null);
  }

  /** The id of this browser, also before it is paired. */
  async clientId(): Promise<string> {
    const paired = await this.#pairing.read();
    const known = paired?.client_id ?? (await this.#clientId.read());
    if (known !== null) return known;
    const made = `firefox-${randomHex(6)}`;
    await this.#clientId.write(made);
    return made;
  }
}
