import { VicError } from '@vic/errors';
import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import type { HttpApplication } from './http-server.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route reads its body as a stream, so no deadline applies to its arrival. */
    readonly streamingBody?: boolean;
  }
}

/** Accepts a JSON content type without a body, and gives buffered bodies a deadline. */
export function acceptEmptyJson(app: HttpApplication, bodyTimeoutMs: number): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Docker clients declare JSON for requests that have no body at all.
    if (body.length === 0) done(null, undefined);
    else void parseJson(request, body as string, done);
  });
  app.addHook('preParsing', (request, _reply, payload, done) => {
    if (request.routeOptions.config.streamingBody !== true) {
      const timer = setTimeout(() => payload.emit('error', bodyTimedOut(bodyTimeoutMs)), bodyTimeoutMs);
      const stop = (): void => clearTimeout(timer);
      payload.once('end', stop).once('close', stop).once('error', stop);
    }
    done(null, payload);
  });
}

/**
 * A plugin scope whose routes receive `request.body` as the unread stream, whatever its content type.
 *
 * Nothing of the body is read before the handler asks for it.
 */
export function streamingBodies(routes: (scope: HttpApplication) => void): FastifyPluginCallback {
  return (scope: FastifyInstance, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, streamingBody: true };
    });
    routes(scope as unknown as HttpApplication);
    done();
  };
}

function bodyTimedOut(bodyTimeoutMs: number): VicError {
  return new VicError({
    class: 'DeadlineExceeded',
    code: 'HTTP_BODY_TIMED_OUT',
    message: `The request's body did not arrive within ${bodyTimeoutMs} ms.`,
  });
}
