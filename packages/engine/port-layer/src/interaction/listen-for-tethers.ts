import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { VicError, describeError } from '@vic/errors';
import { ConnectedSession } from './connected-session.ts';
import { Handshake } from './handshake.ts';
import type { TetherServer, TetherServerDeps, TetherServerOptions } from './tether-server.ts';
import type { TetherSession } from './tether-session.ts';

/** A peer that has not proved itself by then is dropped; QEMU redials. */
const HANDSHAKE_MS = 10_000;
/** Further connections wait in the kernel: strangers cannot take all descriptors. */
const MAX_UNAUTHENTICATED = 256;

/** Listens for the interaction channels of container machines. */
export async function listenForTethers(options: TetherServerOptions, deps: TetherServerDeps): Promise<TetherServer> {
  const server = new ListeningServer(deps);
  await server.listen(options);
  return server;
}

class ListeningServer implements TetherServer {
  readonly #deps: TetherServerDeps;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<string, ConnectedSession>();
  readonly #waiting = new Map<string, Set<(session: TetherSession) => void>>();
  #unauthenticated = 0;

  constructor(deps: TetherServerDeps) {
    this.#deps = deps;
    this.#server = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: false }, (socket) =>
      this.#accept(socket),
    );
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return address.port;
  }

  async listen({ host, port }: TetherServerOptions): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', (cause) => reject(cannotListen(host, port, cause)));
    this.#server.listen(port, host, () => resolve());
    await promise;
  }

  session(vmId: string): TetherSession | undefined {
    return this.#sessions.get(vmId);
  }

  async waitForSession(vmId: string, signal: AbortSignal): Promise<TetherSession> {
    signal.throwIfAborted();
    const live = this.#sessions.get(vmId);
    if (live !== undefined) return live;
    const { promise, resolve, reject } = Promise.withResolvers<TetherSession>();
    const waiting = this.#waiting.get(vmId) ?? new Set();
    this.#waiting.set(vmId, waiting.add(resolve));
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      waiting.delete(resolve);
      if (waiting.size === 0) this.#waiting.delete(vmId);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  #accept(socket: Socket): void {
    // An error is followed by close, where everything is cleaned up.
    socket.on('error', () => undefined);
    if (this.#unauthenticated >= MAX_UNAUTHENTICATED) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    void this.#serve(socket).catch((error: unknown) => {
      this.#deps.logger.warn('A connection to a container machine was closed.', {
        peer: socket.remoteAddress,
        reason: describeError(error),
      });
      socket.destroy();
    });
  }

  /** Authenticates the peer, then hands everything it sends to its session. */
  async #serve(socket: Socket): Promise<void> {
    const handshake = new Handshake((vmId) => this.#deps.secretOf(vmId));
    let session: ConnectedSession | undefined;
    this.#unauthenticated++;
    let counted = true;
    const settle = (): void => {
      if (counted) this.#unauthenticated--;
      counted = false;
      clearTimeout(timer);
    };
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    socket.once('close', settle);
    socket.write(handshake.hello());
    // The loop's own backpressure keeps a flood in the kernel: a chunk is read when the last has been handled.
    for await (const chunk of socket) {
      const bytes: Uint8Array = chunk;
      if (session !== undefined) {
        session.receive(bytes);
        continue;
      }
      const peer = await handshake.push(bytes, (proof) => socket.write(proof));
      if (peer === undefined) continue;
      settle();
      const opened: ConnectedSession = new ConnectedSession(peer.vmId, socket, peer.decoder, () =>
        this.#publish(opened),
      );
      session = opened;
      session.receive(new Uint8Array());
    }
  }

  /** A new connection of a machine takes the place of an old one that is not known to be dead yet. */
  #publish(session: ConnectedSession): void {
    this.#sessions.get(session.vmId)?.close();
    this.#sessions.set(session.vmId, session);
    void session.closed.then(() => {
      if (this.#sessions.get(session.vmId) === session) this.#sessions.delete(session.vmId);
    });
    for (const resolve of this.#waiting.get(session.vmId) ?? []) resolve(session);
    this.#deps.onSession?.(session);
  }
}

function cannotListen(host: string, port: number, cause: Error): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'TETHER_LISTEN',
    message: `Cannot listen for container machines on ${host}:${port}: ${cause.message}.`,
    cause,
  });
}
