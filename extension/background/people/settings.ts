/** Changes that a person makes on the options page: stored, and what follows from them is left to who watches the storage. */
import type { Platform } from '../../../schema/contracts/common.ts';
import type { Text } from '../../overlay/texts.ts';
import type { ActionOutcome, SettingsOrder } from '../../people-messages.ts';
import type { PairOutcome } from '../bridge/pair-by-code.ts';

export interface SettingsDeps {
  agentUrl(): Promise<string>;
  setAgentUrl(url: string): Promise<void>;
  setSite(platform: Platform, isOn: boolean): Promise<void>;
  /** Waits until a person has confirmed the pairing. */
  pair(code: string): Promise<PairOutcome>;
  keepToken(token: string): Promise<void>;
  forgetPairing(): Promise<void>;
  checkPermissions(): Promise<void>;
  translate(text: Text): string;
}

const DONE: ActionOutcome = { ok: true };

export async function changeSettings(deps: SettingsDeps, order: SettingsOrder): Promise<ActionOutcome> {
  switch (order.set) {
    case 'agent_url':
      await deps.setAgentUrl(order.url);
      return DONE;
    case 'site':
      await deps.setSite(order.platform, order.isOn);
      return DONE;
    case 'pair':
      return pair(deps, order.code);
    case 'forget_pairing':
      await deps.forgetPairing();
      return DONE;
    case 'check_permissions':
      await deps.checkPermissions();
      return DONE;
    default:
      return order satisfies never;
  }
}

async function pair(deps: SettingsDeps, code: string): Promise<ActionOutcome> {
  const outcome = await deps.pair(code);
  if (outcome.ok) {
    await deps.keepToken(outcome.token);
    return DONE;
  }
  const { reason, message } = outcome;
  const key = reason === 'refused' && message === null ? 'pair_refused_silently' : `pair_${reason}`;
  const args = [reason === 'refused' ? (message ?? '') : await deps.agentUrl()];
  return { ok: false, code: reason, message: deps.translate({ key, args }) };
}
