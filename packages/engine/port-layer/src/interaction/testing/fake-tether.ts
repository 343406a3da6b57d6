import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import {
  ControlAssembler,
  FRAME,
  FrameDecoder,
  MAGIC,
  MagicSeeker,
  encodeControl,
  encodeFrame,
  parseEndpointMessage,
  parseHello,
  parseProof,
  proofOf,
} from '@vic/agent-protocol';
import type { EndpointMessage, Frame, TetherMessage } from '@vic/agent-protocol';

/** The machine's end of the protocol, driven step by step by a test. */
export class FakeTether implements Disposable {
  readonly #socket: Socket;
  readonly #seeker = new MagicSeeker();
  readonly #decoder = new FrameDecoder();
  readonly #control = new ControlAssembler();
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #frames: Frame[] = [];
  readonly closed: Promise<void>;
  #seeking = true;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
    this.#chunks = this.#socket[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  /** Authenticates and reports a state. */
  async connect(vmId: string, secret: string, status: Partial<TetherMessage & { kind: 'status' }> = {}): Promise<void> {
    const { nonce } = await this.hello();
    const own = this.reply(vmId, secret, nonce);
    const frame = await this.frame();
    if (frame.type !== FRAME.proof) throw new Error(`frame ${frame.type} instead of a proof`);
    if (parseProof(frame.payload) !== proofOf(secret, 'endpoint', nonce, own, vmId))
      throw new Error('the endpoint has not proved itself');
    this.say({ kind: 'status', state: 'waiting', bootId: 'boot', logBytes: 0, ...status });
  }

  /** The endpoint's hello. */
  async hello(): Promise<{ readonly nonce: string }> {
    return parseHello((await this.frame()).payload);
  }

  /** Answers a hello; gives our nonce. */
  reply(vmId: string, secret: string, endpointNonce: string, more: Readonly<Record<string, unknown>> = {}): string {
    const nonce = randomBytes(32).toString('hex');
    const proof = proofOf(secret, 'tether', endpointNonce, nonce, vmId);
    const body = JSON.stringify({ version: 1, vmId, echo: endpointNonce, nonce, proof, ...more });
    this.write(Buffer.concat([MAGIC, encodeFrame(FRAME.helloReply, 0, Buffer.from(body))]));
    return nonce;
  }

  say(message: TetherMessage): void {
    this.write(encodeControl(message));
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next control message. */
  async heard(): Promise<EndpointMessage> {
    for (;;) {
      const frame = await this.frame();
      const body =
        frame.type === FRAME.control || frame.type === FRAME.controlPart ? this.#control.push(frame) : undefined;
      if (body !== undefined) return parseEndpointMessage(body);
    }
  }

  /** The next frame. */
  async frame(): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      // An endpoint that closes before it has read everything resets the connection.
      const { value, done } = await this.#chunks.next().catch(() => ({ value: undefined, done: true }) as const);
      if (done === true) throw new Error('the endpoint has closed the connection');
      const bytes = this.#seeking ? this.#seeker.push(value) : value;
      if (bytes === undefined) continue;
      this.#seeking = false;
      this.#frames.push(...this.#decoder.push(bytes));
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
