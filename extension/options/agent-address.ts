/** The agent's address as a person types it: plain http on this machine, host and port only. Pure. */
import type { Text } from '../overlay/texts.ts';

export type AgentAddress = { ok: true; url: string } | { ok: false; problem: Text };

const EXAMPLE_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
/** The names that the policy of the extension's pages lets them connect to. */
const LOOPBACK = /^(127\.0\.0\.1|localhost)$/;

export function readAgentAddress(typed: string): AgentAddress {
  const text = typed.trim();
  const refuse = (key: string, ...args: string[]): AgentAddress => ({ ok: false, problem: { key, args } });
  if (text === '') return refuse('address_empty');
  const url = URL.parse(EXAMPLE_SCHEME.test(text) ? text : `http://${text}`);
  if (url === null || url.hostname === '') return refuse('address_not_url', text.slice(0, 100));
  if (url.protocol !== 'http:') return refuse('address_not_http', `${url.protocol}//`);
  if (!LOOPBACK.test(url.hostname)) return refuse('address_not_loopback', url.hostname);
  const isPlain = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  return isPlain ? { ok: true, url: url.origin } : refuse('address_not_plain');
}

const CODE_DIGITS = 8;

export type PairingCode = { ok: true; code: string } | { ok: false; problem: Text };

/** The digits of a pairing code; spaces and dashes between them are left out. */
export function readPairingCode(typed: string): PairingCode {
  const code = typed.replace(/[\s-]/g, '');
  if (/^\d{8}$/.test(code)) return { ok: true, code };
  const digits = code.replace(/\D/g, '').length;
  const isOnlyDigits = digits === code.length && digits !== CODE_DIGITS;
  return { ok: false, problem: { key: isOnlyDigits ? 'pair_not_digits' : 'pair_only_digits', args: [String(digits)] } };
}
