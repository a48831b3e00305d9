/**
 * The beginning of a paired browser's connection. The browser sends a challenge; the agent proves that it knows the hash of
 * that browser's token; the browser proves the same in its hello, and seals the token for this connection. Proofs of
 * another connection, of the other side, or for another port are refused with 4401. Nothing that the agent sends before the
 * browser's proof says more than that it is the agent.
 *
 * The token itself is needed because what a person does in that browser is sent to the edge under it. It is in memory
 * while the browser is connected, and in the store only as its hash.
 */
import type { ExtensionFrame } from '../../schema/contracts/bridge-frames.ts';
import { ExtensionFrameSchema } from '../../schema/contracts/bridge-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import type { BridgeHandshake } from '../../schema/domain/bridge-proof.ts';
import { isProof, newNonce, prove, unsealToken } from '../lib/bridge-proof.ts';
import { sha256Hex } from '../lib/hash.ts';
import type { RateLimiter } from '../lib/rate-limit.ts';
import { sameDigest } from '../lib/secrets.ts';
import type { Store } from '../store/store.ts';
import type { SessionIdentity } from './session.ts';
import type { BridgeSocket } from './socket.ts';

export type Hello = Extract<ExtensionFrame, { type: 'hello' }>;
export type Challenge = Extract<ExtensionFrame, { type: 'challenge' }>;

/** Who is at the other end of a socket, as far as its upgrade says. */
export interface Peer {
  origin: string;
  /** The agent's port that it has connected to. */
  port: number;
  /** Whether a browser is paired under that origin. */
  isPaired: boolean;
  /** The peer has proved itself. */
  admit: () => void;
}

export interface GreetingDeps {
  store: Pick<Store, 'pairings'>;
  newConnectionId: () => string;
  /** Failed authentications, shared with the local API. */
  failures: RateLimiter;
  logRefusal(clientId: string, origin: string, message: string): void;
  /** A browser has authenticated. The callee listens to the socket from now on. */
  onHello(socket: BridgeSocket, identity: SessionIdentity): void;
}

export class Greeting {
  readonly #deps: GreetingDeps;

  constructor(deps: GreetingDeps) {
    this.#deps = deps;
  }

  /** Proves the agent and waits for the hello. `onEnd` is called when there is nothing more to wait for. */
  onChallenge(socket: BridgeSocket, peer: Peer, { client_id, nonce }: Challenge, onEnd: () => void): void {
    const tokenHash = this.#tokenHash(client_id, peer);
    if (tokenHash === null) {
      onEnd();
      this.#refuse(socket, peer, client_id);
      return;
    }
    const { origin, port } = peer;
    const handshake = { browser_nonce: nonce, agent_nonce: newNonce(), origin, client_id, port };
    socket.listen({
      onFrame: (json) => {
        onEnd();
        this.#onProof(socket, peer, handshake, json);
      },
      onClose: onEnd,
    });
    const proof = prove(tokenHash, 'agent', handshake);
    socket.send({ type: 'agent_proof', nonce: handshake.agent_nonce, proof });
  }

  /** The hello of an extension of the version before, which sends its token to any program that it has connected to. */
  onTokenHello(socket: BridgeSocket, peer: Peer, hello: Hello): void {
    this.#admit(socket, peer, hello, hello.token ?? null);
  }

  #onProof(socket: BridgeSocket, peer: Peer, handshake: BridgeHandshake, json: unknown): void {
    const { data: hello } = ExtensionFrameSchema.safeParse(json);
    if (hello?.type !== 'hello' || hello.proof === undefined || hello.sealed_token === undefined) {
      socket.close(CLOSE.malformed, 'the frame after agent_proof must be hello with proof and sealed_token');
      return;
    }
    // The browser may have been paired again since its challenge.
    const tokenHash = this.#tokenHash(handshake.client_id, peer);
    const isProved = tokenHash !== null && isProof(tokenHash, 'browser', handshake, hello.proof);
    const token = isProved ? unsealToken(tokenHash, handshake, hello.sealed_token) : null;
    this.#admit(socket, peer, { ...hello, client_id: handshake.client_id }, token);
  }

  /** The stored hash of a browser's token; null when that browser is not paired under this origin. */
  #tokenHash(clientId: string, { origin }: Peer): string | null {
    const pinned = this.#deps.store.pairings.find(clientId);
    return pinned?.origin === origin ? pinned.token_hash : null;
  }

  #admit(socket: BridgeSocket, peer: Peer, hello: Hello, token: string | null): void {
    const { client_id, platforms, extension_version: extensionVersion } = hello;
    const { newConnectionId, onHello } = this.#deps;
    const tokenHash = this.#tokenHash(client_id, peer);
    if (tokenHash === null || token === null || !sameDigest(sha256Hex(token), tokenHash)) {
      this.#refuse(socket, peer, client_id);
      return;
    }
    peer.admit();
    onHello(socket, { clientId: client_id, connectionId: newConnectionId(), platforms, token, extensionVersion });
  }

  #refuse(socket: BridgeSocket, { origin }: Peer, clientId: string): void {
    const { failures, logRefusal } = this.#deps;
    logRefusal(clientId, origin, 'a browser sent a wrong token or proof');
    if (failures.take()) socket.close(CLOSE.token, 'this is not the token of that browser');
    else socket.close(CLOSE.too_fast, 'too many wrong tokens; wait a minute');
  }
}
