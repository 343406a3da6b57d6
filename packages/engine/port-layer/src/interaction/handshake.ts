import { randomBytes } from 'node:crypto';
import {
  FRAME,
  FrameDecoder,
  MAGIC,
  MagicSeeker,
  NONCE_BYTES,
  PROTOCOL_VERSION,
  encodeFrame,
  parseHelloReply,
  proofMatches,
  proofOf,
  protocolError,
} from '@vic/agent-protocol';
import type { HelloReply } from '@vic/agent-protocol';

/** The outcome of a handshake: who it is, and the decoder with what came along already. */
export interface Authenticated {
  readonly vmId: string;
  readonly decoder: FrameDecoder;
}

/**
 * The endpoint's side of the handshake.
 *
 * Replies that echo another nonce are left over from an earlier connection and are skipped with everything
 * before the next magic. Nothing a peer sends is acted on before its proof has been checked.
 */
export class Handshake {
  readonly #nonce = randomBytes(NONCE_BYTES).toString('hex');
  readonly #secretOf: (vmId: string) => Promise<string | undefined>;
  #seeker: MagicSeeker | undefined = new MagicSeeker();
  #decoder = new FrameDecoder();

  constructor(secretOf: (vmId: string) => Promise<string | undefined>) {
    this.#secretOf = secretOf;
  }

  /** The first bytes of the connection. */
  hello(): Uint8Array {
    const body = JSON.stringify({ version: PROTOCOL_VERSION, nonce: this.#nonce });
    return Buffer.concat([MAGIC, encodeFrame(FRAME.hello, 0, Buffer.from(body))]);
  }

  /** Takes bytes from the peer; gives the outcome once the peer has proved itself, after sending our proof. */
  async push(chunk: Uint8Array, send: (bytes: Uint8Array) => void): Promise<Authenticated | undefined> {
    let bytes = chunk;
    for (;;) {
      if (this.#seeker !== undefined) {
        const rest = this.#seeker.push(bytes);
        if (rest === undefined) return undefined;
        this.#seeker = undefined;
        this.#decoder = new FrameDecoder();
        bytes = rest;
      }
      const [reply] = this.#decoder.push(bytes, 1);
      if (reply === undefined) return undefined;
      if (reply.type !== FRAME.helloReply) throw protocolError(`frame type ${reply.type} instead of a hello`);
      const hello = parseHelloReply(reply.payload);
      if (hello.echo === this.#nonce) return this.#verify(hello, send);
      // Stale: go on looking behind it.
      this.#seeker = new MagicSeeker();
      bytes = this.#decoder.takePending();
    }
  }

  async #verify(reply: HelloReply, send: (bytes: Uint8Array) => void): Promise<Authenticated> {
    if (reply.version !== PROTOCOL_VERSION) throw protocolError(`the tether speaks version ${reply.version}`);
    const secret = await this.#secretOf(reply.vmId);
    // A VM nobody knows is checked against a random secret: its answer takes as long and tells nothing.
    const expected = proofOf(
      secret ?? randomBytes(NONCE_BYTES).toString('hex'),
      'tether',
      this.#nonce,
      reply.nonce,
      reply.vmId,
    );
    if (!proofMatches(expected, reply.proof) || secret === undefined) throw protocolError('the proof is wrong');
    const proof = proofOf(secret, 'endpoint', this.#nonce, reply.nonce, reply.vmId);
    send(encodeFrame(FRAME.proof, 0, Buffer.from(JSON.stringify({ proof }))));
    return { vmId: reply.vmId, decoder: this.#decoder };
  }
}
