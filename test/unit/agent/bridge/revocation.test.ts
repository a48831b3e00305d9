import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { clientState, pageOf } from '../../../support/test-browser.ts';
import { BridgeFixture, CLIENT_TOKEN } from './fixture.ts';

describe('a browser whose token the edge has revoked', () => {
  it('is disconnected with 4401 and the reason when the edge reports it', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    agent.tokens.delete(CLIENT_TOKEN);
    await agent.checkTokens();
    expect(await client.closed).toMatchObject({ code: 4401, reason: expect.stringContaining('pair it again') });
  });

  it('is disconnected right after a new hello, however long it was away', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    agent.tokens.delete(CLIENT_TOKEN);
    const { client } = await agent.browser('firefox-1', 'paired already');
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it.each([
    ['does not respond', new EdgeError('network', 0, 'network', 'no route')],
    ['has a fault', new EdgeError('status', 500, 'internal', 'a fault')],
    ['is one that does not know sessions', new EdgeError('status', 404, 'not_found', 'no such route')],
  ])('stays connected while the edge %s', async (_what, error) => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    agent.sessionOf = () => {
      throw error;
    };
    await agent.checkTokens();
    client.send(clientState('s1', [pageOf('c1')]));
    expect(await client.next('message_ack')).toMatchObject({ request_id: 's1' });
  });

  it('does not end the connection of a browser that was paired again meanwhile', async () => {
    const agent = await BridgeFixture.start();
    await agent.browser();
    agent.tokens.delete(CLIENT_TOKEN);
    await agent.pin('firefox-1', 'the-new-token-of-firefox-1');
    const again = await agent.browserWith('the-new-token-of-firefox-1');
    await agent.checkTokens();
    again.client.send(clientState('s1', [pageOf('c1')]));
    expect(await again.client.next('message_ack')).toMatchObject({ request_id: 's1' });
  });
});
