/** Which plan an answer of the site belongs to: by the id of the message that was sent for it. */
import { describe, expect, it } from 'vitest';
import { DeliveryScene } from '../../../support/extension/delivery-scene.ts';

/** The plan `p1` is delivered, and the site has named its message `u1`. */
async function sent(): Promise<DeliveryScene> {
  const scene = new DeliveryScene();
  await scene.deliver();
  await scene.responds(await scene.sends({ isAcknowledgedByStream: true }), 200);
  const event = { type: 'accepted', conversationId: 'c1', userMessageId: 'u1' } as const;
  await scene.emit({ type: 'decoded', event, ...scene.from('stream', 17, 'stream') });
  await scene.clock.elapse(1_500);
  return scene;
}

describe('the plan of a message that the site names', () => {
  it('is the one that it was sent for, also after a restart', async () => {
    const scene = await sent();
    expect(scene.deliveries.planOf('chatgpt', 'u1')).toBe('p1');
    const restarted = new DeliveryScene(scene.kept);
    await restarted.deliver();
    expect(restarted.deliveries.planOf('chatgpt', 'u1')).toBe('p1');
  });

  it('is none for a message that a person has written', async () => {
    const scene = await sent();
    expect(scene.deliveries.planOf('chatgpt', 'u2')).toBeNull();
    expect(scene.deliveries.planOf('claude', 'u1')).toBeNull();
  });

  it('is not known while another message is being sent there', async () => {
    const scene = await sent();
    await scene.deliver({ plan_id: 'p2', request_id: 'r2' });
    expect(scene.deliveries.planOf('chatgpt', 'u2')).toBeUndefined();
  });
});
