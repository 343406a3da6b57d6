export { StartFailedError } from './start-failed-error.ts';
export { listenForTethers } from './listen-for-tethers.ts';
export type { ExecSession, FoundExec, ProcessStreams, Started, TetherSession } from './tether-session.ts';
export type { TetherServer } from './tether-server.ts';
