import type { Socket } from 'node:net';

/**
 * Reads DNS messages from a TCP connection: each is preceded by its length in two bytes (RFC 1035 4.2.2).
 *
 * A peer that announces more than `maxBytes` is cut off; nothing beyond one message is kept.
 */
export function readDnsMessages(socket: Socket, maxBytes: number, onMessage: (message: Buffer) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && !socket.destroyed) {
      const length = pending.readUInt16BE(0);
      if (length > maxBytes) {
        socket.destroy();
        return;
      }
      if (pending.length < 2 + length) return;
      onMessage(Buffer.from(pending.subarray(2, 2 + length)));
      pending = pending.subarray(2 + length);
    }
  });
}

/** Sends one message with its length. */
export function writeDnsMessage(socket: Socket, message: Buffer): void {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length, 0);
  if (!socket.destroyed) socket.write(Buffer.concat([length, message]));
}
