/** Decoders of bodies that are read as a whole: errors, readings, accounts, and the response to an action. */
import type { DecodedEvent, Decoder } from '../decoder.ts';
import type { ResponseHead } from '../facts.ts';
import { ACCOUNT_API, isUuid } from './endpoints.ts';
import { objectOf, parseJson, statusFailure } from './failures.ts';
import * as at from './positions.ts';
import { ProtoMessage } from './protobuf.ts';
import { readReading } from './readings.ts';
import { readAck } from './timeline-frames.ts';

const MAX_ERROR_BYTES = 64 * 1024;
const MAX_ACTION_BYTES = 64 * 1024;
const MAX_READING_BYTES = 64 * 1024 * 1024;
const MAX_ACCOUNT_BYTES = 8 * 1024 * 1024;
const FIRST_BUFFER_BYTES = 4096;

/** Collects a body and decodes it at its end. */
class BodyDecoder implements Decoder {
  readonly #maxBytes: number;
  readonly #decode: (body: Uint8Array) => DecodedEvent[];
  /** It grows by doubling. */
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #filled = 0;
  #isTooLarge = false;

  constructor(maxBytes: number, decode: (body: Uint8Array) => DecodedEvent[]) {
    this.#maxBytes = maxBytes;
    this.#decode = decode;
  }

  push(bytes: Uint8Array): DecodedEvent[] {
    if (this.#isTooLarge) return [];
    const filled = this.#filled + bytes.length;
    if (filled > this.#maxBytes) {
      this.#isTooLarge = true;
      this.#buffer = new Uint8Array();
      return [{ type: 'opaque', reason: 'body_too_large' }];
    }
    if (filled > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(filled, 2 * this.#buffer.length)));
      larger.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#filled);
    this.#filled = filled;
    return [];
  }

  end(isBroken: boolean): DecodedEvent[] {
    if (this.#isTooLarge || isBroken) return [];
    return this.#decode(this.#buffer.subarray(0, this.#filled));
  }
}

const textOf = (body: Uint8Array) => new TextDecoder().decode(body);

/** For what is known before the body, and for a body of no use. */
export function fixedDecoder(...events: DecodedEvent[]): Decoder {
  let isSaid = false;
  const say = () => {
    const said = isSaid ? [] : events;
    isSaid = true;
    return said;
  };
  return { push: say, end: say };
}

export function errorDecoder(head: ResponseHead): Decoder {
  return new BodyDecoder(MAX_ERROR_BYTES, (body) => statusFailure(head, textOf(body)));
}

export function readingDecoder(): Decoder {
  return new BodyDecoder(MAX_READING_BYTES, (body) => {
    const reading = readReading(textOf(body));
    return [reading ? { type: 'reading', reading } : { type: 'drift', what: 'reading' }];
  });
}

/** Usually it is empty: the acknowledgement comes on the timeline. */
export function actionDecoder({ send }: ResponseHead): Decoder {
  return new BodyDecoder(MAX_ACTION_BYTES, (body) => {
    const ack = ProtoMessage.read(body)?.message(at.ACTION_RESPONSE.ack);
    const outcome = ack ? readAck(ack) : null;
    if (!send || !outcome || outcome === 'ignored') return [];
    const { conversationId, userMessageId } = send;
    if (outcome.refusal !== null) return [{ type: 'refused', conversationId, userMessageId, reason: outcome.refusal }];
    return userMessageId ? [{ type: 'accepted', conversationId, userMessageId }] : [];
  });
}

export function accountDecoder({ url }: ResponseHead): Decoder {
  return new BodyDecoder(MAX_ACCOUNT_BYTES, (body) => {
    // The list of organisations names no account.
    if (url.pathname.endsWith('/organizations')) return [];
    const json = parseJson(textOf(body));
    const account = json && (isUuid(json.uuid) ? json : objectOf(json.account));
    if (json && 'account' in json && json.account === null) return [{ type: 'signed_out' }];
    if (!account || !isUuid(account.uuid)) {
      // The start of a device's page says nothing of an account.
      return json && !('account' in json) && url.pathname.includes('/bootstrap')
        ? []
        : [{ type: 'drift', what: 'account' }];
    }
    const organizationId = ACCOUNT_API.exec(url.pathname)?.[1] ?? onlyOrganization(account.memberships);
    return [{ type: 'account', account: account.uuid, organizationId }];
  });
}

/** Null when there are several for chats: the page chooses one of them. */
function onlyOrganization(memberships: unknown): string | null {
  const list: unknown[] = Array.isArray(memberships) ? memberships : [];
  const ids = list
    .map((membership) => objectOf(objectOf(membership)?.organization))
    .filter((one) => Array.isArray(one?.capabilities) && one.capabilities.includes('chat'))
    .map((one) => one?.uuid);
  return ids.length === 1 && isUuid(ids[0]) ? ids[0] : null;
}
