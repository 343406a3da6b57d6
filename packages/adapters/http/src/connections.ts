import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** The connections of a server, to be ended when it ends. */
export class Connections {
  readonly #open = new Set<Socket>();
  /** Those whose TLS handshake is not over, by their peer; node's own closing of idle connections overlooks them. */
  readonly #ungreeted = new Map<string, Socket>();

  /** Follows what connects to a server, and gives it back. */
  follow<S extends Server>(server: S): S {
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      this.#open.add(socket);
      if (server instanceof TlsServer) this.#ungreeted.set(peer, socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        if (this.#ungreeted.get(peer) === socket) this.#ungreeted.delete(peer);
      });
    });
    server.on('secureConnection', (socket: Socket) => this.#ungreeted.delete(peerOf(socket)));
    return server;
  }

  /** Ends connections that cannot have asked for anything yet. */
  endUngreeted(): void {
    for (const socket of this.#ungreeted.values()) socket.destroy();
  }

  /** Ends all connections. */
  endAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
