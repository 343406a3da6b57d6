export { StartFailedError } from './start-failed-error.ts';
export { listenForTethers } from './listen-for-tethers.ts';
export type { AttachOptions, ExecSession, ProcessStreams, Started, TetherSession } from './tether-session.ts';
export type { TetherServer, TetherServerDeps, TetherServerOptions } from './tether-server.ts';
