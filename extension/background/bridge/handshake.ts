/**
 * The greeting of an agent. Any program that listens at the agent's address gets a challenge first. Only the agent of this pairing
 * can prove that it knows the hash of the browser's token, for these nonces and on that port; only then is anything of
 * this browser sent, and its token never readable.
 */
import type { ExtensionFrame } from '../../../schema/contracts/bridge-frames.ts';
import { AgentBridgeFrameSchema } from '../../../schema/contracts/bridge-frames.ts';
import { isProofOfAgent, proveBrowser, sealToken } from '../../lib/bridge-proof.ts';
import { randomHex } from '../../lib/hash.ts';
import type { Pairing } from './pairing.ts';

const NONCE_BYTES = 32;
const DEFAULT_PORT = 80;

type Hello = Extract<ExtensionFrame, { type: 'hello' }>;

export interface HandshakeDeps {
  pairing: Pairing;
  /** `moz-extension://<uuid>`. */
  origin: string;
  /** What the hello says besides its proof. */
  hello: Pick<Hello, 'browser' | 'extension_version' | 'platforms'>;
}

/** One attempt. */
export class Handshake {
  readonly challenge: ExtensionFrame;
  readonly #deps: HandshakeDeps;
  readonly #nonce = randomHex(NONCE_BYTES);
  #isUsed = false;

  constructor(deps: HandshakeDeps) {
    this.#deps = deps;
    this.challenge = { type: 'challenge', client_id: deps.pairing.client_id, nonce: this.#nonce };
  }

  /** The hello for the agent whose first frame this is; null when that is not its proof. */
  async hello(firstFrame: unknown): Promise<ExtensionFrame | null> {
    // What comes before the hello and is not one proof is not of the agent.
    if (this.#isUsed) return null;
    this.#isUsed = true;
    const { pairing, origin, hello } = this.#deps;
    const { token, client_id } = pairing;
    const { data: frame } = AgentBridgeFrameSchema.safeParse(firstFrame);
    if (frame?.type !== 'agent_proof') return null;
    const port = Number(new URL(pairing.agent_url).port || DEFAULT_PORT);
    const handshake = { browser_nonce: this.#nonce, agent_nonce: frame.nonce, origin, client_id, port };
    if (!(await isProofOfAgent(token, handshake, frame.proof))) return null;
    const proof = await proveBrowser(token, handshake);
    return { type: 'hello', client_id, ...hello, proof, sealed_token: await sealToken(token, handshake) };
  }
}
