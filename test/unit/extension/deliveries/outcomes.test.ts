/** Each outcome of a delivery, as the agent reads the browser's result. */
import { describe, expect, it } from 'vitest';
import type { PageLook } from '../../../../extension/messages.ts';
import { readActionResult } from '../../../../local-agent/delivery/outcome.ts';
import type { ActionResult } from '../../../../schema/contracts/bridge-frames.ts';
import { ActionResultSchema } from '../../../../schema/contracts/bridge-frames.ts';
import { DeliveryScene, seenLook } from '../../../support/extension/delivery-scene.ts';

function read(result: ActionResult | undefined) {
  return readActionResult(ActionResultSchema.parse(result));
}

/** A scene in which the button was pressed. */
async function pressedScene(): Promise<DeliveryScene> {
  const scene = new DeliveryScene();
  await scene.deliver();
  expect(scene.calls).toEqual(['17 look', '17 compose', '17 press']);
  return scene;
}

describe('what people see of a delivery that ended before a request was seen', () => {
  it.each([
    ['draft_in_composer', 'deferred'],
    ['text_changed_by_editor', 'refused'],
    ['became_attachment', 'refused'],
    ['other_conversation', 'refused'],
  ] as const)('names its conversation, and whether it is tried again: %s, %s', async (refusal, outcome) => {
    const scene = new DeliveryScene();
    scene.handlers.compose = () => ({ typed: false, refusal, look: seenLook('c1'), detail: {} });
    await scene.deliver();
    expect(scene.ended).toEqual([`c1 ${outcome} ${refusal}`]);
  });

  it('names the conversation also when nothing was begun', async () => {
    const scene = new DeliveryScene();
    scene.maxTextChars = 3;
    await scene.deliver();
    expect(scene.ended).toEqual(['c1 refused text_too_long']);
  });
});

describe('a message whose request the site accepted', () => {
  it('is delivered with the status, once the body shows an answer', async () => {
    const scene = await pressedScene();
    const requestId = await scene.sends();
    await scene.responds(requestId, 200);
    expect(scene.results).toEqual([]);
    const answer = { conversationId: 'c1', messageId: 'a1', userMessageId: 'u1' };
    await scene.emit({ type: 'decoded', event: { type: 'progress', answer, chars: 1 }, ...scene.from(requestId) });
    expect(read(scene.results[0])).toMatchObject({
      result: { outcome: 'delivered', method: 'dom', http_status: 200 },
      countsAs: 'success',
      stops: null,
    });
    expect(scene.stages).toEqual(['p1 ended delivered']);
  });

  it('is delivered without a word of the body after a moment', async () => {
    const scene = await pressedScene();
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'delivered', http_status: 200 });
  });

  it.each([
    ['escaped its backslashes', 'C:\\new *x*', 'C:\\\\new \\*x\\*'],
    ['changed its tabs', 'a\tb', 'a    b'],
    ['changed its blank lines', 'a\n\n\nb\n', 'a\nb'],
  ])('is delivered and named when the editor %s', async (_what, message_text, text) => {
    const scene = new DeliveryScene();
    await scene.deliver({ message_text });
    await scene.responds(await scene.sends({ text }), 200);
    await scene.clock.elapse(1_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'delivered', reason: 'text_changed_by_page' });
  });

  it('counts line breaks of any kind as the same text', async () => {
    const scene = new DeliveryScene();
    await scene.deliver({ message_text: 'a\nb' });
    await scene.responds(await scene.sends({ text: 'a\r\nb' }), 200);
    await scene.clock.elapse(1_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'delivered', reason: null });
  });

  it('is seen in the page when the page shows it', async () => {
    const scene = await pressedScene();
    const messages = [{ role: 'user' as const, id: 'u1', text: 'carry on', isFinished: true }];
    scene.handlers.view = () => ({ conversationId: 'c1', messages });
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_000);
    expect(scene.results[0]?.downstream).toMatchObject({ seen_in_page: true });
  });

  it('is proven by a request of no tab with exactly this text, as one of a service worker', async () => {
    const scene = await pressedScene();
    const requestId = await scene.sends({}, -1);
    await scene.responds(requestId, 200);
    await scene.clock.elapse(1_000);
    expect(read(scene.results[0])?.result.outcome).toBe('delivered');
  });

  it('is not proven by a request of no tab with this text to another conversation', async () => {
    const scene = await pressedScene();
    const other = scene.from(await scene.sends({ conversationId: 'c2' }, -1), -1);
    await scene.emit({ type: 'status', status: 200, isChallenge: false, retryAfterMs: null, ...other });
    await scene.responds(await scene.sends({}, -1), 200);
    await scene.clock.elapse(1_000);
    expect(scene.results.map((one) => read(one)?.result)).toMatchObject([{ outcome: 'delivered', reason: null }]);
  });

  it('is uncertain when it was sent to another conversation', async () => {
    const scene = await pressedScene();
    await scene.responds(await scene.sends({ conversationId: 'c2' }), 200);
    await scene.clock.elapse(1_000);
    expect(read(scene.results[0])?.result).toMatchObject({
      outcome: 'uncertain',
      reason: 'sent_to_other_conversation',
    });
  });

  it('is delivered when the page repeated a request that an overloaded site had refused', async () => {
    const scene = await pressedScene();
    await scene.responds(await scene.sends(), 529);
    await scene.clock.elapse(3_000);
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_000);
    expect(scene.results.map((one) => read(one)?.result.outcome)).toEqual(['delivered']);
  });
});

describe('another text that is sent from the page after the press', () => {
  /** The press had no effect, and the person has sent a text of their own. */
  async function replaced(): Promise<DeliveryScene> {
    const scene = await pressedScene();
    await scene.responds(await scene.sends({ text: 'my own question', userMessageId: 'u9' }), 200);
    await scene.clock.elapse(1_500);
    expect(scene.results).toEqual([]);
    return scene;
  }

  it('does not prove the message, which is uncertain and not remembered as the one of that text', async () => {
    const scene = await replaced();
    await scene.clock.elapse(8_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'uncertain', reason: 'other_text_sent' });
    expect(scene.kept.plans).toMatchObject([{ userMessageId: null }]);
  });

  it('leaves the message unsent when its text is still in the composer', async () => {
    const scene = await replaced();
    scene.handlers.withdraw = () => ({ wasThere: true, isCleared: true });
    await scene.clock.elapse(8_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'failed', reason: 'not_sent' });
  });

  it('takes nothing from a request of the message that follows', async () => {
    const scene = await replaced();
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'delivered', reason: null });
  });

  it('leaves the message uncertain when a preparation was refused before it', async () => {
    const scene = await pressedScene();
    const head = { status: 429, isChallenge: false, retryAfterMs: null };
    await scene.emit({ type: 'status', ...head, ...scene.from('prepare', 17, 'prepare') });
    await scene.responds(await scene.sends({ text: 'my own question' }), 200);
    await scene.clock.elapse(8_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'uncertain', reason: 'other_text_sent' });
  });
});

describe('a request whose body could not be read', () => {
  it('proves nothing by its status alone', async () => {
    const scene = await pressedScene();
    await scene.emit({ type: 'status', status: 200, isChallenge: false, retryAfterMs: null, ...scene.from('x') });
    await scene.clock.elapse(1_500);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'uncertain', reason: 'request_not_read' });
  });

  it('proves the message together with the page that shows it', async () => {
    const scene = await pressedScene();
    const messages = [{ role: 'user' as const, id: null, text: 'carry on', isFinished: true }];
    scene.handlers.view = () => ({ conversationId: 'c1', messages });
    await scene.emit({ type: 'status', status: 200, isChallenge: false, retryAfterMs: null, ...scene.from('x') });
    await scene.clock.elapse(1_500);
    expect(read(scene.results[0])?.result.outcome).toBe('delivered');
  });

  it('of another kind, such as a question asked again, is not this message', async () => {
    const scene = await pressedScene();
    await scene.responds(await scene.sends({ kind: 'regenerate', text: null }), 200);
    await scene.clock.elapse(1_500);
    expect(scene.results).toEqual([]);
  });
});

describe('a message that the site acknowledges on a stream', () => {
  async function acknowledged(): Promise<DeliveryScene> {
    const scene = await pressedScene();
    await scene.responds(await scene.sends({ isAcknowledgedByStream: true }), 200);
    await scene.clock.elapse(1_500);
    expect(scene.results).toEqual([]);
    return scene;
  }

  it('is delivered when the stream accepts it', async () => {
    const scene = await acknowledged();
    const event = { type: 'accepted', conversationId: 'c1', userMessageId: 'u1' } as const;
    await scene.emit({ type: 'decoded', event, ...scene.from('stream', 17, 'stream') });
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'delivered', http_status: 200 });
  });

  it('certainly was not taken when the stream refuses it', async () => {
    const scene = await acknowledged();
    const event = { type: 'refused', conversationId: 'c1', userMessageId: 'u1', reason: 'stale_parent' } as const;
    await scene.emit({ type: 'decoded', event, ...scene.from('stream', 17, 'stream') });
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'failed', reason: 'stale_parent' });
    expect(scene.calls.at(-1)).toBe('17 withdraw');
  });

  it('does not count the acknowledgement of another message', async () => {
    const scene = await acknowledged();
    const event = { type: 'accepted', conversationId: 'c1', userMessageId: 'u0' } as const;
    await scene.emit({ type: 'decoded', event, ...scene.from('stream', 17, 'stream') });
    expect(scene.results).toEqual([]);
  });

  it('is uncertain when the stream says nothing in time', async () => {
    const scene = await acknowledged();
    await scene.clock.elapse(17_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'uncertain', reason: 'no_acknowledgement' });
  });
});

describe('a message that the site refused', () => {
  it.each([
    [401, {}, { outcome: 'failed', reason: 'signed_out', http_status: 401 }, 'signed_out'],
    [403, {}, { outcome: 'failed', reason: 'signed_out', http_status: 403 }, 'signed_out'],
    [
      403,
      { isChallenge: true },
      { outcome: 'failed', reason: 'security_challenge', http_status: 403 },
      'security_challenge',
    ],
    [200, { isChallenge: true }, { outcome: 'failed', reason: 'security_challenge' }, 'security_challenge'],
    [429, {}, { outcome: 'failed', reason: 'rate_limited', http_status: 429, retry_after_ms: null }, null],
    [
      429,
      { retryAfterMs: 90_000 },
      { outcome: 'failed', reason: 'rate_limited', http_status: 429, retry_after_ms: 90_000 },
      null,
    ],
    [413, {}, { outcome: 'failed', reason: 'http_413', http_status: 413 }, null],
    [503, {}, { outcome: 'failed', reason: 'http_503', http_status: 503 }, null],
  ] as const)('with %s and %j has the outcome %j', async (status, more, result, stops) => {
    const scene = await pressedScene();
    await scene.responds(await scene.sends(), status, more);
    await scene.clock.elapse(6_000);
    expect(read(scene.results[0])).toMatchObject({ result, stops });
    // A page may put a refused text back into its composer.
    expect(scene.calls.at(-1)).toBe('17 withdraw');
    expect(scene.results).toHaveLength(1);
  });

  it('waits until the limit ends that the body of a 429 names', async () => {
    const scene = await pressedScene();
    const requestId = await scene.sends();
    await scene.responds(requestId, 429);
    const event = { type: 'limit', resetsInMs: 1_234_000, resetsAt: null, reason: 'limit' } as const;
    await scene.emit({ type: 'decoded', event, ...scene.from(requestId) });
    expect(read(scene.results[0])?.result).toMatchObject({ reason: 'rate_limited', retry_after_ms: 1_234_000 });
  });

  it('by a limit in a response with status 200 certainly was not taken', async () => {
    const scene = await pressedScene();
    const requestId = await scene.sends();
    await scene.responds(requestId, 200);
    const resetsAt = scene.clock.now() + 60_000;
    const event = { type: 'limit', resetsInMs: null, resetsAt, reason: '1037' } as const;
    await scene.emit({ type: 'decoded', event, ...scene.from(requestId) });
    expect(read(scene.results[0])?.result).toMatchObject({
      outcome: 'failed',
      reason: 'rate_limited',
      retry_after_ms: 60_000,
    });
  });

  it('by an error in a response with status 200 is uncertain', async () => {
    const scene = await pressedScene();
    const requestId = await scene.sends();
    await scene.responds(requestId, 200);
    const event = { type: 'error', reason: '1013' } as const;
    await scene.emit({ type: 'decoded', event, ...scene.from(requestId) });
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'uncertain', reason: 'site_error: 1013' });
  });

  it.each([
    [429, 'rate_limited'],
    [403, 'signed_out'],
  ] as const)('with %s while it was prepared was not sent when no request follows', async (status, reason) => {
    const scene = await pressedScene();
    const head = { isChallenge: false, retryAfterMs: 5_000 };
    await scene.emit({ type: 'status', status, ...head, ...scene.from('prepare', 17, 'prepare') });
    await scene.clock.elapse(3_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'failed', reason, http_status: status });
  });

  it('only while it was prepared is delivered when the send follows all the same', async () => {
    const scene = await pressedScene();
    const head = { isChallenge: false, retryAfterMs: null };
    await scene.emit({ type: 'status', status: 429, ...head, ...scene.from('prepare', 17, 'prepare') });
    await scene.clock.elapse(2_000);
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_500);
    expect(read(scene.results[0])?.result.outcome).toBe('delivered');
  });
});

describe('a message whose send is prepared slowly', () => {
  it('is awaited as long as the site takes its preparations', async () => {
    const scene = await pressedScene();
    const head = { status: 200, isChallenge: false, retryAfterMs: null };
    for (const step of ['first', 'second']) {
      await scene.clock.elapse(5_000);
      await scene.emit({ type: 'status', ...head, ...scene.from(step, 17, 'prepare') });
    }
    await scene.clock.elapse(5_000);
    expect(scene.results).toEqual([]);
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_500);
    expect(read(scene.results[0])?.result.outcome).toBe('delivered');
  });
});

describe('a message of which no response came', () => {
  it('is uncertain when the connection broke before a status', async () => {
    const scene = await pressedScene();
    const requestId = await scene.sends();
    await scene.emit({ type: 'ended', error: 'NS_ERROR_NET_RESET', ...scene.from(requestId) });
    await scene.clock.elapse(5_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'uncertain', reason: 'network_error' });
  });

  it('is uncertain before the deadline of the agent when the site stays silent', async () => {
    const scene = await pressedScene();
    await scene.sends();
    await scene.clock.elapse(19_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'uncertain', reason: 'no_response' });
  });

  it('was not sent when nothing was requested and the text is still in the composer', async () => {
    const scene = await pressedScene();
    scene.handlers.withdraw = () => ({ wasThere: true, isCleared: true });
    await scene.clock.elapse(8_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'failed', reason: 'not_sent' });
  });

  it.each([
    ['the text is gone from the composer', { wasThere: false, isCleared: true }],
    ['the text could not be removed', { wasThere: true, isCleared: false }],
  ])('is uncertain when nothing was requested and %s', async (_what, outcome) => {
    const scene = await pressedScene();
    scene.handlers.withdraw = () => outcome;
    await scene.clock.elapse(8_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'uncertain', reason: 'no_request_seen' });
  });

  it('is uncertain when the page is gone after the press', async () => {
    const scene = new DeliveryScene();
    scene.handlers.press = () => Promise.reject(new Error('gone'));
    scene.handlers.withdraw = () => Promise.reject(new Error('gone'));
    await scene.deliver();
    await scene.clock.elapse(12_000);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'uncertain', reason: 'no_request_seen' });
    expect(scene.calls.filter((call) => call === '17 press')).toHaveLength(1);
  });
});

describe('a page in which nothing may be typed', () => {
  const OBSTACLE = { text: '', resetsAt: null };
  const LATER = 1_800_000_300_000;
  it.each<[what: string, look: Partial<PageLook>, result: object, stops: string | null]>([
    [
      'a challenge',
      { obstacle: { ...OBSTACLE, kind: 'challenge' } },
      { outcome: 'failed', reason: 'security_challenge' },
      'security_challenge',
    ],
    [
      'a signed-out page',
      { obstacle: { ...OBSTACLE, kind: 'signed_out' } },
      { outcome: 'failed', reason: 'signed_out' },
      'signed_out',
    ],
    [
      'a lost login',
      { login: { login: 'lost', account: null } },
      { outcome: 'failed', reason: 'signed_out' },
      'signed_out',
    ],
    [
      'a limit with its end',
      { obstacle: { ...OBSTACLE, kind: 'limit', resetsAt: LATER } },
      { outcome: 'deferred', reason: 'rate_limited', retry_after_ms: 300_000 },
      null,
    ],
    [
      'a limit without its end',
      { obstacle: { ...OBSTACLE, kind: 'limit' } },
      { outcome: 'deferred', reason: 'rate_limited', retry_after_ms: 900_000 },
      null,
    ],
    [
      'a question for permission',
      { obstacle: { ...OBSTACLE, kind: 'permission' } },
      { outcome: 'deferred', reason: 'permission_prompt' },
      null,
    ],
    [
      'a choice between answers',
      { obstacle: { ...OBSTACLE, kind: 'choice' } },
      { outcome: 'deferred', reason: 'choice_prompt' },
      null,
    ],
    [
      'an earlier version of the page',
      { obstacle: { ...OBSTACLE, kind: 'old_version' } },
      { outcome: 'deferred', reason: 'old_version_of_page' },
      null,
    ],
    [
      'an error of the page',
      { obstacle: { ...OBSTACLE, kind: 'error' } },
      { outcome: 'deferred', reason: 'page_error' },
      null,
    ],
    ['an answer that streams', { isAnswering: true }, { outcome: 'deferred', reason: 'answer_is_streaming' }, null],
    ['a person who types', { typedAgoMs: 4_999 }, { outcome: 'deferred', reason: 'person_is_typing' }, null],
    ['a busy composer', { composer: 'busy' }, { outcome: 'deferred', reason: 'composer_busy' }, null],
  ])('because of %s ends the delivery', async (_what, look, result, stops) => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => seenLook('c1', look);
    await scene.deliver();
    expect(read(scene.results[0])).toMatchObject({ result, stops, refused: true, countsAs: 'neutral' });
    expect(scene.calls).toEqual(['17 look']);
  });

  it.each([
    ['draft_in_composer', 'deferred'],
    ['person_is_typing', 'deferred'],
    ['send_button_missing', 'deferred'],
    ['timeout', 'deferred'],
    ['other_conversation', 'failed'],
    ['text_changed_by_editor', 'failed'],
    ['became_attachment', 'failed'],
  ] as const)('by the refusal %s ends as %s', async (refusal, outcome) => {
    for (const call of ['compose', 'press'] as const) {
      const scene = new DeliveryScene();
      scene.handlers[call] = () => ({ typed: false, pressed: false, refusal, detail: {}, look: seenLook('c1') });
      await scene.deliver();
      expect(read(scene.results[0])).toMatchObject({ result: { outcome, reason: refusal }, refused: true });
    }
  });

  it('under another account than the one of the links ends the delivery, and stops the browser', async () => {
    const scene = new DeliveryScene();
    await scene.deliver({ account_fingerprint: 'f0' });
    expect(read(scene.results[0])).toMatchObject({ result: { outcome: 'failed' }, stops: 'account_changed' });
    expect(scene.calls).toEqual(['17 look']);
  });

  it('under the account of the links is used', async () => {
    const scene = new DeliveryScene();
    await scene.deliver({ account_fingerprint: 'f1' });
    expect(scene.calls).toContain('17 press');
  });
});

describe('a page that is not ready', () => {
  it('is waited for within bounds', async () => {
    const scene = new DeliveryScene();
    let looks = 0;
    scene.handlers.look = () => {
      looks += 1;
      return seenLook('c1', { composer: looks < 5 ? 'loading' : 'empty' });
    };
    await scene.deliver();
    await scene.clock.elapse(3_000);
    expect(scene.calls.at(-1)).toBe('17 press');
  });

  it('because its conversation is not loaded is waited for, and not longer than a page without an answer may need', async () => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => seenLook('c1', { lastAnswer: null });
    await scene.deliver();
    await scene.clock.elapse(3_900);
    expect(scene.calls).not.toContain('17 compose');
    await scene.clock.elapse(1_000);
    expect(scene.calls.at(-1)).toBe('17 press');
  });

  it.each([
    ['without a composer', () => seenLook('c1', { composer: 'missing' }), 'composer_not_ready'],
    ['without a response', () => Promise.reject(new Error('no content script')), 'page_not_ready'],
  ] as const)('%s is tried again later', async (_what, look, reason) => {
    const scene = new DeliveryScene();
    scene.handlers.look = look;
    await scene.deliver();
    await scene.clock.elapse(10_500);
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'deferred', reason });
  });

  it('is no failure of the message when it was reloaded during the typing', async () => {
    const scene = new DeliveryScene();
    scene.handlers.compose = () => Promise.reject(new Error('reloaded'));
    await scene.deliver();
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'deferred', reason: 'page_reloaded' });
  });

  it('does not hold a delivery when its tab was closed', async () => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => {
      scene.tabs = [];
      throw new Error('gone');
    };
    await scene.deliver();
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'deferred', reason: 'tab_closed' });
  });
});

describe('a message that is not begun', () => {
  it('because the site takes no text that long is refused by that name', async () => {
    const scene = new DeliveryScene();
    scene.maxTextChars = 8;
    await scene.deliver({ message_text: '12345678' });
    expect(scene.calls).toContain('17 press');
    await scene.deliver({ message_text: '123456789', plan_id: 'p2', request_id: 'r2' });
    expect(read(scene.results[0])).toMatchObject({
      result: { outcome: 'failed', reason: 'text_too_long' },
      refused: true,
    });
  });

  it('because the person has turned the site off is deferred', async () => {
    const scene = new DeliveryScene();
    scene.isOn = false;
    await scene.deliver();
    expect(read(scene.results[0])?.result).toMatchObject({ outcome: 'deferred', reason: 'site_turned_off' });
    expect(scene.calls).toEqual([]);
  });
});
