import type { z } from 'zod';
import { BrowserResponseSchema } from '../../../../schema/contracts/browser.ts';
import type { Read } from '../../api/store.ts';
import { useRead } from '../../page-context.ts';

export type BrowserPage = z.output<typeof BrowserResponseSchema>;
export type Browser = BrowserPage['clients'][number];
export type Target = BrowserPage['policy']['targets'][number];

/** A page of the list of browsers. */
export const BrowserListSchema = BrowserResponseSchema.transform(({ clients, next_cursor }) => ({
  items: clients,
  next_cursor,
}));

/** That browser, if there is one. */
export function useBrowser(id: string): Read<BrowserPage> {
  return useRead(`/v1/browser?client_id=${encodeURIComponent(id)}`, BrowserResponseSchema, ['clients']);
}
