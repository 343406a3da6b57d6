import type { Logger } from '@vic/log';
import type { TetherSession } from './tether-session.ts';

/** What a {@link TetherServer} needs from others. */
export interface TetherServerDeps {
  /** The secret of a virtual machine (`guestinfo.vic.secret`), or undefined when it is not one of ours. */
  secretOf(vmId: string): Promise<string | undefined>;
  /** Called once per authenticated connection, after the session is findable. */
  onSession?(session: TetherSession): void;
  readonly logger: Logger;
}

/** Options of {@link listenForTethers}. */
export interface TetherServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** The TCP server the virtual machines' interaction channels dial. */
export interface TetherServer extends AsyncDisposable {
  readonly port: number;
  /** The live session of a virtual machine. */
  session(vmId: string): TetherSession | undefined;
  /** The live session, or the next one; rejects with the signal's reason. */
  waitForSession(vmId: string, signal: AbortSignal): Promise<TetherSession>;
}
