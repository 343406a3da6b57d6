export { NbdClient } from './nbd-client.ts';
export type { NbdConnectOptions } from './nbd-client.ts';
