import type { HttpReply } from '@vic/http';
import { VicError } from '@vic/errors';

/** Fires when the client goes away before it has its answer. */
export function clientSignal(reply: HttpReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(clientGone());
  });
  return controller.signal;
}

function clientGone(): VicError {
  return new VicError({ class: 'Cancelled', code: 'HTTP_CLIENT_GONE', message: 'The client has gone away.' });
}
