/** A browser at a node of a cluster: paired, connected, with one chat of Claude open. */
import type { Platform } from '../../schema/contracts/common.ts';
import type { Cluster, TestNode } from './cluster.ts';
import { until } from './cluster.ts';
import { ORIGIN, pageOf, TestBrowser } from './test-browser.ts';

export function block(instruction: string): string {
  return ['```baa', instruction, '```'].join('\n');
}

/** Pairs and connects a browser, also again after a restart of either side. */
export async function openBrowser(
  cluster: Cluster,
  node: TestNode,
  conversation = 'conversation-1',
  platforms?: Platform[],
): Promise<TestBrowser> {
  const clientId = `firefox-${node.id}`;
  const grant = { role: 'browser_admin', subject: clientId };
  const { token } = await cluster.call<{ token: string }>('POST', '/v1/tokens', grant);
  // The agent asks the edge about the token, and does not wait long on a busy machine.
  await until(async () => {
    const paired = await fetch(`${node.localApi}/v1/pairings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${node.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ origin: ORIGIN, client_id: clientId, token }),
    });
    await paired.body?.cancel();
    if (paired.status >= 400 && paired.status < 500) throw new Error(`the pairing was refused with ${paired.status}`);
    return paired.ok;
  });
  const browser = await TestBrowser.connect({
    agentUrl: node.localApi,
    clientId,
    token,
    ...(platforms && { platforms }),
  });
  browser.show(pageOf(conversation, 'claude'));
  return browser;
}
