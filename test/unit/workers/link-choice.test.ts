import { describe, expect, it } from 'vitest';
import type { DueLink } from '../../../workers/renewal/due-jobs.ts';
import { chooseLink } from '../../../workers/renewal/link-choice.ts';

const client = { connected: true, stopped_reason: null, fingerprint: null };
const link = (client_id: string, controller_id: string, more: Partial<DueLink> = {}): DueLink => ({
  link_id: `link_${client_id}`,
  client_id,
  controller_id,
  page_url: 'https://chatgpt.com/c/1',
  page_title: null,
  route_path: '/c/1',
  route_pattern: null,
  route_params: {},
  target_kind: 'browser.proxy_delivery',
  target_id: 'tab:1',
  target_payload: {
    client_id,
    conversation_id: '1',
    page_url: 'https://chatgpt.com/c/1',
    page_title: null,
    tab_id: 1,
    shell_page: false,
  },
  observed_at: 1,
  fingerprint: null,
  client,
  ...more,
});
/** Nodes whose name says so ask for their commands; all others are away unless they are connected. */
const chosen = (links: DueLink[], ...connected: string[]) => {
  const { link: found, unusable } = chooseLink(links, (node) => {
    if (connected.includes(node)) return 'connected';
    return node.startsWith('asking') ? 'in_contact' : 'away';
  });
  return [found?.client_id ?? null, unusable];
};
const stopped = { client: { ...client, stopped_reason: 'signed_out' } };

describe('of several links, the newest first,', () => {
  it.each([
    [
      'the newest on a connected node is used',
      [link('a', 'n1'), link('b', 'n2'), link('c', 'n2')],
      ['n2'],
      ['b', null],
    ],
    [
      'without a connected node the newest is used whose node asks for its commands',
      [link('a', 'n1'), link('b', 'asking-1'), link('c', 'asking-2')],
      [],
      ['b', null],
    ],
    [
      'a connected node comes before a newer link on one that asks',
      [link('a', 'asking-1'), link('b', 'n2')],
      ['n2'],
      ['b', null],
    ],
    ['a node that is away is sent nothing', [link('a', 'n1'), link('b', 'n2')], [], ['a', 'node_unreachable']],
    ['nor when a stopped one is there', [link('a', 'n1', stopped), link('b', 'n2')], ['n1'], ['b', 'node_unreachable']],
    [
      'a browser that is gone yields to one that is there',
      [link('a', 'n1', { client: { ...client, connected: false } }), link('b', 'n2')],
      ['n1', 'n2'],
      ['b', null],
    ],
    ['a stopped one is passed over', [link('a', 'n1', stopped), link('b', 'n2')], ['n1', 'n2'], ['b', null]],
    ['only stopped ones say why', [link('a', 'n1', stopped)], ['n1'], ['a', 'signed_out']],
    ['one that has told nothing is used', [link('a', 'n1', { client: null })], ['n1'], ['a', null]],
    ['there may be none', [], ['n1'], [null, null]],
  ] as const)('%s', (_name, links, connected, expected) => {
    expect(chosen([...links], ...connected)).toEqual(expected);
  });
});
