import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeliverable } from '../../../schema/domain/links.ts';
import type { Reach } from '../../../workers/nodes/presence.ts';
import { chooseLink } from '../../../workers/renewal/choose-link.ts';
import type { RenewalLink } from '../../../workers/renewal/link-reads.ts';

const client = { connected: true, stopped_reason: null, fingerprint: null };
const link = (client_id: string, controller_id: string, more: Partial<RenewalLink> = {}, tab_id = 1): RenewalLink => ({
  link_id: `link_${client_id}`,
  local_conversation_id: 'lc_1',
  platform: 'chatgpt',
  remote_conversation_id: '1',
  client_id,
  controller_id,
  page_url: 'https://chatgpt.com/c/1',
  page_title: null,
  route_path: '/c/1',
  route_pattern: null,
  route_params: {},
  target_kind: 'browser.proxy_delivery',
  target_id: `tab:${tab_id}`,
  target_payload: {
    client_id,
    conversation_id: '1',
    page_url: 'https://chatgpt.com/c/1',
    page_title: null,
    tab_id,
    shell_page: false,
  },
  is_active: true,
  observed_at: 1,
  fingerprint: null,
  failed_at: null,
  client,
  ...more,
});
/** Nodes named `polling…` are in contact without a socket; the others are away unless they are named as connected. */
const choose = (links: RenewalLink[], ...connected: string[]) => {
  const chosen = chooseLink(links, (node) => {
    if (connected.includes(node)) return 'connected';
    return node.startsWith('polling') ? 'in_contact' : 'away';
  });
  return [chosen.link?.client_id ?? null, chosen.unusable];
};
const failed = { failed_at: 1 };
const stopped = { client: { ...client, stopped_reason: 'signed_out' } };

describe('the choice among the links of a conversation, newest first', () => {
  it.each([
    [
      'takes the newest link on a connected node',
      [link('a', 'n1'), link('b', 'n2'), link('c', 'n2')],
      ['n2'],
      ['b', null],
    ],
    [
      'leaves a link by which a delivery has failed for an older one, also on a node that polls',
      [link('a', 'n1', failed), link('b', 'polling-1')],
      ['n1'],
      ['b', null],
    ],
    [
      'keeps a link by which a delivery has failed when the browser of the other is not connected',
      [link('a', 'n1', failed), link('b', 'n1', { client: { ...client, connected: false } })],
      ['n1'],
      ['a', null],
    ],
    ['keeps the only link, though a delivery by it has failed', [link('a', 'n1', failed)], ['n1'], ['a', null]],
    [
      'takes the newest link on a polling node when no node is connected',
      [link('a', 'n1'), link('b', 'polling-1'), link('c', 'polling-2')],
      [],
      ['b', null],
    ],
    [
      'prefers a connected node to a newer link on a polling one',
      [link('a', 'polling-1'), link('b', 'n2')],
      ['n2'],
      ['b', null],
    ],
    [
      'says node_unreachable when all nodes are away',
      [link('a', 'n1'), link('b', 'n2')],
      [],
      ['a', 'node_unreachable'],
    ],
    [
      'says node_unreachable when the only reachable browser is stopped',
      [link('a', 'n1', stopped), link('b', 'n2')],
      ['n1'],
      ['b', 'node_unreachable'],
    ],
    [
      'prefers a connected browser to a newer link of one that has gone',
      [link('a', 'n1', { client: { ...client, connected: false } }), link('b', 'n2')],
      ['n1', 'n2'],
      ['b', null],
    ],
    [
      'leaves out the link of a stopped browser',
      [link('a', 'n1', stopped), link('b', 'n2')],
      ['n1', 'n2'],
      ['b', null],
    ],
    ['says why the only browser is stopped', [link('a', 'n1', stopped)], ['n1'], ['a', 'signed_out']],
    ['takes the link of a browser that has reported nothing', [link('a', 'n1', { client: null })], ['n1'], ['a', null]],
    ['leaves out a newer link without a tab', [link('a', 'n1', {}, 0), link('b', 'n1')], ['n1'], ['b', null]],
    [
      'takes a deliverable link of a stopped browser rather than one without a tab, and says why it cannot be used',
      [link('a', 'n1', {}, 0), link('b', 'n1', stopped)],
      ['n1'],
      ['b', 'signed_out'],
    ],
    ['takes a link without a tab when there is no other', [link('a', 'n1', {}, 0)], ['n1'], ['a', null]],
    ['finds nothing without links', [], ['n1'], [null, null]],
  ] as const)('%s', (_name, links, connected, expected) => {
    expect(choose([...links], ...connected)).toEqual(expected);
  });

  it('finds a deliverable link exactly when the conversation has one, however its nodes can be reached', () => {
    const links = fc.array(
      fc
        .record({ tab: fc.nat(1), node: fc.nat(2), isStopped: fc.boolean() })
        .map(({ tab, node, isStopped }) => link(`c${node}`, `n${node}`, isStopped ? stopped : {}, tab)),
      { maxLength: 4 },
    );
    const reach = fc.array(fc.constantFrom<Reach>('connected', 'in_contact', 'away'), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(links, reach, (of, reaches) => {
        const { link: chosen } = chooseLink(of, (node) => reaches[Number(node.slice(1))] ?? 'away');
        expect(chosen !== null && isDeliverable(chosen)).toBe(of.some(isDeliverable));
        expect(chosen === null).toBe(of.length === 0);
      }),
    );
  });
});
