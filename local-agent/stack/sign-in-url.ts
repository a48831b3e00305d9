import { readFileSync } from 'node:fs';
import { SignInLinkSchema } from '../../schema/contracts/tokens.ts';
import { createEdgeClient } from '../edge/http-client.ts';
import type { Stack } from './stack.ts';

/** A link that signs a browser in as the operator, once and within five minutes. @throws EdgeError */
export async function makeSignInUrl({ edgeUrl, layout }: Stack): Promise<string> {
  const token = readFileSync(layout.operatorFile, 'utf8').trim();
  const edge = createEdgeClient({ baseUrl: edgeUrl, token, now: Date.now });
  try {
    const request = { method: 'POST', path: '/v1/session/links', body: {}, schema: SignInLinkSchema } as const;
    return (await edge.call(request)).sign_in_url;
  } finally {
    await edge.close();
  }
}
