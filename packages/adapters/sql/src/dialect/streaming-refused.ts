import { VicError } from '@vic/errors';

/** Why results are not streamed: on SQLite an open cursor would freeze what every other reader sees. */
export function streamingRefused(): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'SQL_STREAMING',
    message: 'Results are not streamed from the database.',
    remedy: 'Read page by page, by key.',
  });
}
