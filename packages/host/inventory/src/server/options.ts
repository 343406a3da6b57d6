import type { TlsOptions } from '@vic/http';

/** What {@link createVimServer} needs. */
export interface VimServerOptions {
  readonly tls: TlsOptions;
  readonly listen: { readonly host: string; readonly port: number };
  /** A session that is not used for this long ends. 30 minutes when absent. */
  readonly sessionIdleMs?: number;
}

/** A running VIM server. */
export interface VimServer extends AsyncDisposable {
  /** Where it listens, with the real port. */
  readonly address: { readonly host: string; readonly port: number };
  /** Stops serving; machines stay as they are. */
  close(): Promise<void>;
}
