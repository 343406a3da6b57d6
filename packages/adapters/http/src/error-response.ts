import { type ErrorClass, VicError, describeError, httpStatusOf, toVicError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { noteRequest } from './request-log.ts';

/** An error as it goes to the client. */
export interface ErrorResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; a string as it is, with the content type in `headers`. */
  readonly body: object | string;
}

/** The wire form of servers that bring none of their own. */
export function plainErrorResponse(error: VicError): ErrorResponse {
  return { status: httpStatusOf(error.class), body: { code: error.code, message: describeError(error) } };
}

/** A fastify error handler that maps anything thrown to a VicError and that to the wire. */
export function errorHandler(
  toResponse: (error: VicError, request: FastifyRequest) => ErrorResponse,
  logger: Logger,
): (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (error, request, reply) => {
    const vicError = fromFastify(error);
    const response = toResponse(vicError, request);
    noteRequest(request, { error: vicError });
    if (vicError.class === 'Internal' || vicError.class === 'DataLoss') {
      logger.error('Request failed', {
        method: request.method,
        url: pathOf(request),
        error: vicError.stack ?? vicError.message,
      });
    }
    return reply
      .code(response.status)
      .headers(response.headers ?? {})
      .send(response.body);
  };
}

/** Query strings may carry credentials, so they are not logged. */
function pathOf(request: FastifyRequest): string {
  return request.originalUrl.split('?')[0] ?? '';
}

const CLASS_OF_STATUS: Readonly<Record<number, ErrorClass>> = {
  400: 'InvalidArgument',
  404: 'NotFound',
  413: 'PayloadTooLarge',
  415: 'InvalidArgument',
  503: 'Unavailable',
};

/** Fastify's own refusals (schema, body size, media type) carry a status code. */
function fromFastify(error: unknown): VicError {
  if (error instanceof VicError || !(error instanceof Error)) return toVicError(error);
  if (!('statusCode' in error) || typeof error.statusCode !== 'number') return toVicError(error);
  const errorClass = CLASS_OF_STATUS[error.statusCode];
  if (errorClass === undefined) return toVicError(error);
  return new VicError({
    class: errorClass,
    code: 'HTTP_INVALID_REQUEST',
    message: sentence(error.message),
    cause: error,
  });
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
