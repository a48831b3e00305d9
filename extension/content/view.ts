/** The messages that the page shows now. It is no proof of what the conversation holds. */
import type { PageView } from '../messages.ts';
import type { Site } from '../sites/site.ts';

export interface ViewDeps {
  document: Document;
  location: Pick<Location, 'href'>;
  site: Pick<Site, 'wire' | 'page'>;
}

export function viewOf({ document, location, site }: ViewDeps): PageView {
  return {
    conversationId: site.wire.addressOf(new URL(location.href)).conversationId,
    messages: site.page.turns(document).map(({ role, id, text, isFinished }) => ({ role, id, text, isFinished })),
  };
}
