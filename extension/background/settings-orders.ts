/** What a person changes on the options page. Each order ends with an outcome in the person's language. */

import { bridgeUrl, storedSettings } from '../lib/settings.ts';
import type { Translate } from '../overlay/texts.ts';
import type { ActionOutcome, SettingsOrder } from '../people-messages.ts';
import type { PairOutcome } from './bridge/pair-by-code.ts';
import { pairByCode } from './bridge/pair-by-code.ts';
import type { Parts } from './parts.ts';

type Order<Name extends SettingsOrder['set']> = Extract<SettingsOrder, { set: Name }>;

const CODE = /^\d{8}$/;
const DONE: ActionOutcome = { ok: true };

export class SettingsOrders {
  readonly #parts: Parts;
  readonly #t: Translate;
  /** Reads which sites may be seen. */
  readonly #checkPermissions: () => Promise<void>;

  constructor(parts: Parts, translate: Translate, checkPermissions: () => Promise<void>) {
    this.#parts = parts;
    this.#t = translate;
    this.#checkPermissions = checkPermissions;
  }

  async change(order: SettingsOrder): Promise<ActionOutcome> {
    switch (order.set) {
      case 'agent_url':
        return this.#setAgentUrl(order);
      case 'site':
        return this.#setSite(order);
      case 'notices':
        await this.#writeSettings({ notices: order.isOn });
        return DONE;
      case 'pair':
        return this.#pair(order);
      case 'forget_pairing':
        await this.#parts.pairing.forget();
        await this.#parts.bridge.connect();
        return DONE;
      case 'check_permissions':
        await this.#checkPermissions();
        return DONE;
      default:
        return order satisfies never;
    }
  }

  async #setAgentUrl({ url }: Order<'agent_url'>): Promise<ActionOutcome> {
    const { pairing, bridge } = this.#parts;
    if (bridgeUrl(url) === null) return this.#refused('bad_address', this.#t('address_not_loopback', url));
    const agent_url = new URL(url).origin;
    await this.#writeSettings({ agent_url });
    const paired = await pairing.read();
    if (paired !== null) await pairing.write({ ...paired, agent_url });
    await bridge.connect();
    return DONE;
  }

  async #setSite({ platform, isOn }: Order<'site'>): Promise<ActionOutcome> {
    const off = this.#parts.settings().sites_off.filter((one) => one !== platform);
    await this.#writeSettings({ sites_off: isOn ? off : [...off, platform] });
    return DONE;
  }

  async #pair({ code }: Order<'pair'>): Promise<ActionOutcome> {
    const { env, bridge, pairing, settings } = this.#parts;
    const digits = code.replace(/[\s-]/g, '');
    if (!CODE.test(digits)) return this.#refused('bad_code', this.#t('pair_not_digits', String(digits.length)));
    const agentUrl = bridge.agentUrl ?? settings().agent_url;
    const clientId = await pairing.clientId();
    const outcome = await pairByCode(env, { agentUrl, clientId, code: digits });
    if (!outcome.ok) return this.#refused(outcome.reason, this.#pairingText(outcome, agentUrl));
    await pairing.write({ agent_url: agentUrl, client_id: clientId, token: outcome.token });
    await bridge.connect();
    return DONE;
  }

  #pairingText({ reason, message }: Extract<PairOutcome, { ok: false }>, agentUrl: string): string {
    if (reason !== 'refused') return this.#t(`pair_${reason}`, agentUrl);
    return message === null ? this.#t('pair_refused_silently') : this.#t('pair_refused', message);
  }

  async #writeSettings(change: Partial<ReturnType<Parts['settings']>>): Promise<void> {
    const { env, settings, readSettings, clientState } = this.#parts;
    await storedSettings(env.storage).write({ ...settings(), ...change });
    await readSettings();
    clientState.soon();
  }

  #refused(code: string, message: string): ActionOutcome {
    return { ok: false, code, message };
  }
}
