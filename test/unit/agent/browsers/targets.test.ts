import { describe, expect, it } from 'vitest';
import { chooseTarget } from '../../../../local-agent/browsers/targets.ts';
import type { ClientPutBody } from '../../../../schema/contracts/clients.ts';

describe('the target of a browser tool', () => {
  const tab = (over: object) => ({
    platform: 'claude' as const,
    remote_conversation_id: 'c1' as string | null,
    organization_id: null,
    page_url: 'https://claude.ai/chat/c1',
    page_title: null,
    tab_id: 1,
    shell_page: false,
    observed_at: 1,
    ...over,
  });
  const client = (client_id: string, tabs: ReturnType<typeof tab>[], login = 'fresh') => ({
    client_id,
    body: {
      connected: true,
      platforms: [{ platform: 'claude', login, fingerprint: null, hooks: [], stopped_reason: null }],
      tabs,
    } as ClientPutBody,
  });
  const wanted = { platform: 'claude', conversation_id: 'c1', purpose: 'send' } as const;
  const clients = [client('a', []), client('b', [tab({ tab_id: 5 }), tab({ tab_id: 6, observed_at: 2 })])];
  const allConnected = () => true;

  it('it is the tab of the conversation that was seen last, otherwise a page to open', () => {
    expect(chooseTarget(clients, wanted, allConnected)).toMatchObject({ client_id: 'b', tab_id: 6 });
    expect(chooseTarget(clients, wanted, (id) => id === 'a')).toMatchObject({
      client_id: 'a',
      tab_id: null,
      page_url: 'https://claude.ai/chat/c1',
    });
    expect(chooseTarget(clients, { ...wanted, conversation_id: null }, allConnected)).toMatchObject({
      shell_page: true,
    });
  });

  it('there is none without a connected and signed-in browser of the platform', () => {
    expect(chooseTarget(clients, wanted, () => false)).toBeNull();
    expect(chooseTarget(clients, { ...wanted, platform: 'gemini' }, allConnected)).toBeNull();
    expect(chooseTarget([client('a', [tab({})], 'lost')], wanted, allConnected)).toBeNull();
    expect(
      chooseTarget([client('a', [])], { ...wanted, conversation_id: null, purpose: 'read' }, allConnected),
    ).toBeNull();
  });
});
