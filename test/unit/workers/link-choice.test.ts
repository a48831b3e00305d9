import { describe, expect, it } from 'vitest';
import type { DueLink } from '../../../workers/queries/due-jobs.ts';
import { chooseLink } from '../../../workers/queries/link-choice.ts';

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
const chosen = (links: DueLink[], ...connected: string[]) => {
  const { link: found, stopped } = chooseLink(links, new Set(connected));
  return [found?.client_id ?? null, stopped];
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
    ['none on a connected node leaves the newest', [link('a', 'n1'), link('b', 'n2')], [], ['a', null]],
    [
      'a browser that is gone yields to one that is there',
      [link('a', 'n1', { client: { ...client, connected: false } }), link('b', 'n2')],
      ['n1', 'n2'],
      ['b', null],
    ],
    ['a stopped one is passed over', [link('a', 'n1', stopped), link('b', 'n2')], ['n1'], ['b', null]],
    ['only stopped ones say why', [link('a', 'n1', stopped)], ['n1'], ['a', 'signed_out']],
    ['one that has told nothing is used', [link('a', 'n1', { client: null })], ['n1'], ['a', null]],
    ['there may be none', [], ['n1'], [null, null]],
  ] as const)('%s', (_name, links, connected, expected) => {
    expect(chosen([...links], ...connected)).toEqual(expected);
  });
});
