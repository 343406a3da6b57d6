export type {
  ConsoleSize,
  DnsSpec,
  HostEntry,
  InterfaceSpec,
  LaunchSpec,
  ProcessSpec,
  ResourceLimit,
  TmpfsMount,
} from './launch-spec.ts';
export type {
  EndpointMessage,
  ExitStatus,
  StartFailureKind,
  ExecStatus,
  StatusMessage,
  TetherMessage,
  TetherState,
} from './message.ts';
export { parseEndpointMessage, parseTetherMessage } from './message-parser.ts';
export { ControlAssembler, encodeControl } from './control.ts';
export { FRAME, FrameDecoder, decodeCredit, encodeCredit, encodeFrame } from './frame.ts';
export type { Frame, FrameType } from './frame.ts';
export {
  MAGIC,
  MagicSeeker,
  NONCE_BYTES,
  PROTOCOL_VERSION,
  parseHello,
  parseHelloReply,
  parseProof,
  proofMatches,
  proofOf,
} from './handshake.ts';
export type { Hello, HelloReply, Role } from './handshake.ts';
export { INITIAL_CREDIT_BYTES, STREAM, channelOf, streamId, streamKindOf } from './stream-id.ts';
export type { StreamKind } from './stream-id.ts';
export { protocolError } from './protocol-error.ts';
export { MAX_LOG_PAYLOAD_BYTES, encodeLogRecord } from './log-record.ts';
export type { LocatedLogRecord, LogRecord, LogStream } from './log-record.ts';
export { LogDecoder } from './log-decoder.ts';
export { findTail } from './log-tail.ts';
export type { LogReader } from './log-tail.ts';
