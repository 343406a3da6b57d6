import type { Socket } from 'node:net';
import { VicError } from '@vic/errors';
import type { ByteReader } from './byte-reader.ts';

/* Fixed newstyle negotiation: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md */

const NBD_MAGIC = 0x4e42444d41474943n;
const OPTION_MAGIC = 0x49484156454f5054n;
const REPLY_MAGIC = 0x3e889045565a9n;
const FLAG_FIXED_NEWSTYLE = 1;
const FLAG_NO_ZEROES = 2;
const OPT_GO = 7;
const REP_ACK = 1;
const REP_INFO = 3;
const REP_ERROR_BIT = 0x80000000;
const INFO_EXPORT = 0;
/** Information replies are small; a larger one is not from an NBD server. */
const MAX_REPLY_BYTES = 64 * 1024;

/** What the server said about the export. */
export interface Export {
  readonly sizeBytes: number;
  readonly flags: number;
}

/** Negotiates the named export and enters the transmission phase. */
export async function negotiate(socket: Socket, reader: ByteReader, exportName: string): Promise<Export> {
  const greeting = await reader.take(18);
  if (greeting.readBigUInt64BE(0) !== NBD_MAGIC || greeting.readBigUInt64BE(8) !== OPTION_MAGIC) {
    throw protocolError('it does not speak the newstyle NBD protocol');
  }
  const serverFlags = greeting.readUInt16BE(16);
  if ((serverFlags & FLAG_FIXED_NEWSTYLE) === 0) throw protocolError('it does not support fixed newstyle negotiation');
  const clientFlags = Buffer.alloc(4);
  clientFlags.writeUInt32BE(FLAG_FIXED_NEWSTYLE | (serverFlags & FLAG_NO_ZEROES));
  socket.write(clientFlags);
  socket.write(goOption(exportName));
  let found: Export | undefined;
  for (;;) {
    const head = await reader.take(20);
    if (head.readBigUInt64BE(0) !== REPLY_MAGIC || head.readUInt32BE(8) !== OPT_GO)
      throw protocolError('its reply is malformed');
    const type = head.readUInt32BE(12);
    const length = head.readUInt32BE(16);
    if (length > MAX_REPLY_BYTES) throw protocolError('its reply is too long');
    const data = await reader.take(length);
    if (type === REP_INFO && length === 12 && data.readUInt16BE(0) === INFO_EXPORT) {
      const size = data.readBigUInt64BE(2);
      if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw protocolError('the export is too large');
      found = { sizeBytes: Number(size), flags: data.readUInt16BE(10) };
    } else if (type >= REP_ERROR_BIT) {
      throw protocolError(
        `it refused the export "${exportName}": ${data.toString('utf8').slice(0, 200) || `error ${type}`}`,
      );
    } else if (type === REP_ACK) {
      if (found === undefined) throw protocolError('it did not describe the export');
      return found;
    }
  }
}

/** The error for a server that breaks the protocol. */
export function protocolError(reason: string): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'NBD_PROTOCOL',
    message: `The NBD server cannot be used: ${reason}.`,
  });
}

function goOption(exportName: string): Buffer {
  const name = Buffer.from(exportName, 'utf8');
  const option = Buffer.alloc(16 + 4 + name.length + 2);
  option.writeBigUInt64BE(OPTION_MAGIC, 0);
  option.writeUInt32BE(OPT_GO, 8);
  option.writeUInt32BE(4 + name.length + 2, 12);
  option.writeUInt32BE(name.length, 16);
  name.copy(option, 20);
  return option;
}
