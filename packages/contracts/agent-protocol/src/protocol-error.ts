import { VicError } from '@vic/errors';

/** An error for bytes from the peer that do not follow the protocol. */
export function protocolError(reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'TETHER_PROTOCOL',
    message: `The peer does not follow the tether protocol: ${reason}.`,
  });
}
