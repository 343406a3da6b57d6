import { pino } from 'pino';

/** What libraries log with; programs give them {@link createLogger}'s. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** A logger that adds `fields` to every line. */
  child(fields: Record<string, unknown>): Logger;
}

/** Names of fields whose values never reach a log, at any depth up to two. */
const SECRET_FIELDS = ['password', 'secret', 'token', 'authorization', 'cookie', 'privateKey'];

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  readonly name: string;
  readonly level?: 'debug' | 'info' | 'warn' | 'error';
  /** File to append to; standard output when absent. */
  readonly file?: string;
}

/** A logger that writes JSON lines, with secrets redacted by field name. */
export function createLogger(options: LoggerOptions): Logger {
  const base = pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
    },
    pino.destination({ dest: destinationOf(options.file), sync: true, mkdir: true }),
  );
  return wrap(base);
}

/** A standard error that is a socket, as systemd gives, cannot be opened by its name. */
function destinationOf(file: string | undefined): string | number {
  return file === '/dev/stderr' ? 2 : (file ?? 1);
}

/** A logger that drops everything, for tests. */
export function silentLogger(): Logger {
  const drop = (): void => undefined;
  const logger: Logger = { debug: drop, info: drop, warn: drop, error: drop, child: () => logger };
  return logger;
}

function wrap(base: pino.Logger): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Record<string, unknown> = {}): void =>
      base[level](fields, message);
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(base.child(fields)),
  };
}
