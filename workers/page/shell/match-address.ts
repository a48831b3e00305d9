import type { Address } from '../panels/registry.ts';

export interface Match {
  address: Address;
  /** The id of the object that the address names; empty for a list. */
  id: string;
}

/** The panel of an address; null where there is none, or not for this role. */
export function matchAddress(path: string, addresses: readonly Address[]): Match | null {
  const [above = '', part, ...more] = path.split('/').filter((one) => one !== '');
  if (more.length > 0) return null;
  const wanted = `/${above}${part === undefined ? '' : '/:id'}`;
  const address = addresses.find((one) => one.path === wanted);
  if (address === undefined) return null;
  try {
    return { address, id: decodeURIComponent(part ?? '') };
  } catch {
    // A percent sign that encodes nothing.
    return null;
  }
}
