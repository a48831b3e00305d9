/**
 * Programs read the edge of the version before, in case they were updated before it. `earlier-edge.json` has what
 * that edge sent. A field that is new in a response is optional, or has a default; a new fixture replaces the old one
 * with each version.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EdgeFrameSchema } from '../../../schema/contracts/channel-frames.ts';
import { LeaderAcquireResponseSchema, LeaseViewSchema } from '../../../schema/contracts/leader.ts';
import { ROUTES } from '../../../workers/routes.ts';

interface Earlier {
  responses: Record<string, Record<string, unknown>>;
  frames: { type: string }[];
}
const fixture = new URL('../../fixtures/earlier-edge.json', import.meta.url);
const earlier = JSON.parse(readFileSync(fixture, 'utf8')) as Earlier;
const specs = new Map(ROUTES.map(({ spec }) => [`${spec.method.toUpperCase()} ${spec.path}`, spec]));

describe('what the edge of the version before sends', () => {
  it.each(Object.entries(earlier.responses))('the response to %s is read', (name, data) => {
    const spec = specs.get(name);
    if (spec === undefined) throw new Error(`no route ${name}: old programs need it`);
    expect(spec.data.safeParse(data)).toMatchObject({ success: true });
  });

  it.each(earlier.frames.map((frame) => [frame.type, frame] as const))('the frame %s is read', (_type, frame) => {
    expect(EdgeFrameSchema.safeParse(frame)).toMatchObject({ success: true });
  });

  it('a lease that does not say whether its holder is preferred has one that is not', () => {
    const { holder_preferred: _new, ...lease } = earlier.responses['GET /v1/leader'] ?? {};
    expect(LeaseViewSchema.parse(lease).holder_preferred).toBe(false);
    const acquired = { ...earlier.responses['POST /v1/leader/acquire'], lease };
    expect(LeaderAcquireResponseSchema.parse(acquired).lease.holder_preferred).toBe(false);
  });
});
