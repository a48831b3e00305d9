import { exec } from 'preact-iso/router';
import type { Address } from '../panels/registry.ts';

export interface Match {
  address: Address;
  /** The id of the object that the address names; empty for a list. */
  id: string;
}

/** The panel of an address; null where there is none, or not for this role. */
export function matchAddress(path: string, addresses: readonly Address[]): Match | null {
  for (const address of addresses) {
    try {
      const match = exec(path, address.path, { path, query: {}, params: {} });
      if (match) return { address, id: match.params.id ?? '' };
    } catch {
      // A percent sign that encodes nothing.
      return null;
    }
  }
  return null;
}
