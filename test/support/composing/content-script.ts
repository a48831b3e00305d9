/** The composing of the extension in a content script of its own, ordered about by events of the page. */
import type { Composing } from '../../../extension/content/composing/composing.ts';
import { startComposing } from '../../../extension/content/composing/composing.ts';
import type { PageLook } from '../../../extension/messages.ts';
import { plainAddress, plainPage } from './plain-page.ts';

let typedAt: number | null = null;
document.addEventListener('keydown', (event) => {
  if (event.isTrusted) typedAt = Date.now();
});

const address = () => plainAddress(new URL(location.href));
const typedAgoMs = () => (typedAt === null ? null : Date.now() - typedAt);

function look(): PageLook {
  return {
    url: location.href,
    title: document.title,
    address: address(),
    shownConversation: plainPage.shownConversation(document),
    isVisible: !document.hidden,
    composer: 'empty',
    typedAgoMs: typedAgoMs(),
    isAnswering: plainPage.isAnswering(document),
    isOver: false,
    obstacle: null,
    login: null,
    drift: [],
    lastAnswer: null,
  };
}

const composing = startComposing({ document, page: plainPage, address, look, typedAgoMs, now: () => Date.now() });

type Order = { [Name in keyof Composing]: { call: Name; order: Parameters<Composing[Name]>[0] } }[keyof Composing];

async function perform(asked: Order): Promise<unknown> {
  switch (asked.call) {
    case 'compose':
      return await composing.compose(asked.order);
    case 'press':
      return await composing.press(asked.order);
    case 'withdraw':
      return await composing.withdraw(asked.order);
    default:
      return asked satisfies never;
  }
}

document.addEventListener('test-order', (event) => {
  const { id, ...asked } = JSON.parse((event as CustomEvent<string>).detail) as Order & { id: string };
  const respond = (result: unknown): void => {
    document.dispatchEvent(new CustomEvent(`test-result-${id}`, { detail: JSON.stringify(result) }));
  };
  perform(asked).then(respond, (error: unknown) => respond({ thrown: String(error) }));
});
