import { FRAME, MAX_PAYLOAD_BYTES, encodeFrame } from './frame.ts';
import type { Frame } from './frame.ts';
import { protocolError } from './protocol-error.ts';

/** The largest control message: a launch whose environment is as large as Linux takes in practice. */
const MAX_CONTROL_BYTES = 1024 * 1024;

/** The frames of one control message, in parts when it is large. */
export function encodeControl(message: object): Uint8Array {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  if (body.length > MAX_CONTROL_BYTES) throw protocolError(`a message of ${body.length} bytes is too large`);
  const frames: Uint8Array[] = [];
  let offset = 0;
  for (; body.length - offset > MAX_PAYLOAD_BYTES; offset += MAX_PAYLOAD_BYTES) {
    frames.push(encodeFrame(FRAME.controlPart, 0, body.subarray(offset, offset + MAX_PAYLOAD_BYTES)));
  }
  frames.push(encodeFrame(FRAME.control, 0, body.subarray(offset)));
  return Buffer.concat(frames);
}

/** Puts the parts of control messages together. */
export class ControlAssembler {
  #parts: Uint8Array[] = [];
  #size = 0;

  /** Takes a control or controlPart frame; gives the body once it is complete. */
  push(frame: Frame): Uint8Array | undefined {
    this.#size += frame.payload.length;
    if (this.#size > MAX_CONTROL_BYTES) throw protocolError('a control message is too large');
    this.#parts.push(frame.payload);
    if (frame.type === FRAME.controlPart) return undefined;
    const body = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    return body;
  }
}
